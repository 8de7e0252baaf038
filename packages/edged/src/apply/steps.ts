import { errorText, isAbort, type ContainerRuntime } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { endContainers } from '../hooks/end-containers.js';
import type { ImageProvider } from '../images/images.js';
import { removeLog } from '../logs/log-files.js';
import type { LogLinks } from '../logs/log-links.js';
import type { TerminationMessages } from '../messages/termination-messages.js';
import type { PodEvent } from '../plan/event.js';
import type { PodFacts } from '../plan/pod-fields.js';
import { sandboxConfig } from '../plan/runtime-config.js';
import type { PodStep, Waiting } from '../plan/steps.js';
import type { RuntimeView } from '../pods/runtime-view.js';
import type { Reach } from '../reach/reach.js';
import type { Isolation } from '../isolation/isolation.js';
import type { VolumePlan } from '../volumes/plan-volumes.js';
import type { ObjectReader } from './object-reader.js';
import type { Semaphore } from './semaphore.js';
import { startContainer } from './start-container.js';
import type { Volumes } from '../volumes/volumes.js';

export interface StepsDeps {
  /** Remembers what it has asked, so that the look after the steps does not ask again. */
  readonly view: Pick<RuntimeView, 'sandbox'>;
  readonly runtime: ContainerRuntime;
  /** The way to the pods' addresses, for hooks. */
  readonly reach: Reach;
  readonly images: ImageProvider;
  readonly messages: TerminationMessages;
  readonly links: LogLinks;
  readonly volumes: Volumes;
  readonly objects: ObjectReader;
  readonly podLogsDir: string;
  /** Absent for a runtime that does not isolate. */
  readonly isolation?: Isolation | undefined;
  /** Bounds how many pods and containers are made at once; waiting for anything else takes no place. */
  readonly places: Semaphore;
}

/** The pod that the steps are about, as it is now. */
export interface StepsScene {
  /** Undefined for a pod that nobody knows any more: only steps that end and remove are possible then. */
  readonly pod: Pod | undefined;
  /** The sandbox that serves, if there is one. */
  readonly sandboxId: string | undefined;
  readonly sandboxAttempt: number;
  /** When the agent first saw the pod, RFC 3339. */
  readonly seen: string;
  readonly facts: (podIPs: readonly string[]) => PodFacts;
  readonly podIPs: readonly string[];
  /** Addresses of the node, those of pods in its network. */
  readonly hostIPs: readonly string[];
  /** Containers whose preStop hook was started; it runs once. */
  readonly hooked: Set<string>;
  readonly say: (event: PodEvent) => void;
  /** Aborts long waits, because the pod is to end, or to end sooner. */
  readonly killSignal: AbortSignal;
}

export interface StepsResult {
  /** Containers that could not be started, and why. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** When all of them know when the next try makes sense: the earliest of these times, milliseconds since the epoch. */
  readonly retryAt?: number;
  /** What stopped the steps half-way; undefined when all were tried. */
  readonly error?: unknown;
}

/** Does steps in order. A container that does not start does not stop the others; anything else does. */
export async function applySteps(deps: StepsDeps, steps: readonly PodStep[], scene: StepsScene, signal: AbortSignal): Promise<StepsResult> {
  const waiting = new Map<string, Waiting>();
  let { sandboxId, sandboxAttempt, podIPs } = scene;
  let volumes: readonly VolumePlan[] = [];
  let retryAt: number | undefined;
  try {
    for (const step of steps) {
      if (signal.aborted) break;
      switch (step.do) {
        case 'prepareVolumes':
          volumes = await prepare(deps, scene, podIPs, signal);
          break;
        case 'createSandbox': {
          sandboxAttempt = step.attempt;
          sandboxId = await createSandbox(deps, scene, sandboxAttempt, signal);
          podIPs = (await deps.view.sandbox(sandboxId, signal)).ips;
          break;
        }
        case 'startContainer': {
          if (!scene.pod || sandboxId === undefined) break;
          const { pod } = scene;
          const isolated = await deps.isolation?.sandbox(pod, signal);
          const sandbox = sandboxConfig({ pod, attempt: sandboxAttempt, podLogsDir: deps.podLogsDir, seen: scene.seen, isolated: isolated?.config });
          const outcome = await startContainer(deps, { pod, step, sandboxId, sandbox, volumes, facts: scene.facts(podIPs), address: addressOf(scene, podIPs), say: scene.say, endSignal: scene.killSignal }, signal);
          if (outcome.started) break;
          waiting.set(step.container.name, outcome.waiting);
          if (outcome.retryAt === undefined) retryAt = 0;
          else if (retryAt !== 0) retryAt = Math.min(retryAt ?? Infinity, outcome.retryAt);
          break;
        }
        case 'killContainers':
          await endContainers(deps, step.containers, { ...scene, address: addressOf(scene, podIPs) }, AbortSignal.any([signal, scene.killSignal]));
          break;
        case 'stopSandbox':
          await deps.runtime.stopPodSandbox(step.sandboxId, signal);
          break;
        case 'removeContainer':
          await deps.runtime.removeContainer(step.containerId, signal);
          if (step.logPath !== undefined) await removeLog(step.logPath);
          break;
        case 'removeSandbox':
          await deps.runtime.removePodSandbox(step.sandboxId, signal);
          break;
      }
    }
  } catch (error) {
    if (isAbort(error) && signal.aborted) throw error;
    return { waiting, error };
  }
  return { waiting, ...(retryAt ? { retryAt } : {}) };
}

async function prepare(deps: StepsDeps, scene: StepsScene, podIPs: readonly string[], signal: AbortSignal): Promise<readonly VolumePlan[]> {
  if (!scene.pod) return [];
  try {
    return await deps.volumes.prepare(scene.pod, scene.facts(podIPs), signal);
  } catch (error) {
    if (!isAbort(error)) scene.say({ type: 'Warning', reason: 'FailedMount', message: errorText(error) });
    throw error;
  }
}

async function createSandbox(deps: StepsDeps, scene: StepsScene, attempt: number, signal: AbortSignal): Promise<string> {
  try {
    const pod = scene.pod as Pod;
    const isolated = await deps.isolation?.sandbox(pod, signal);
    for (const warning of isolated?.warnings ?? []) scene.say(warning);
    await deps.isolation?.prepare(pod);
    const config = sandboxConfig({ pod, attempt, podLogsDir: deps.podLogsDir, seen: scene.seen, isolated: isolated?.config });
    return await deps.places.run(() => deps.runtime.runPodSandbox(config, signal));
  } catch (cause) {
    const error = deps.isolation?.explain(cause) ?? cause;
    if (!isAbort(error)) scene.say({ type: 'Warning', reason: 'FailedCreatePodSandBox', message: errorText(error) });
    throw error;
  }
}

function addressOf({ pod, hostIPs }: StepsScene, podIPs: readonly string[]): string | undefined {
  return podIPs[0] ?? (pod?.spec.hostNetwork === true ? hostIPs[0] : undefined);
}
