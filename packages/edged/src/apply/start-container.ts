import { errorText, isAbort, type ContainerConfig, type ContainerRuntime, type PodSandboxConfig } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { CannotStart } from '../errors.js';
import { postStart } from '../hooks/post-start.js';
import type { Isolation } from '../isolation/isolation.js';
import type { ImageProvider } from '../images/images.js';
import type { LogLinks } from '../logs/log-links.js';
import type { TerminationMessages } from '../messages/termination-messages.js';
import { containerEnvironment } from '../plan/environment.js';
import type { PodEvent } from '../plan/event.js';
import type { PodFacts } from '../plan/pod-fields.js';
import { environmentReferences } from '../plan/references.js';
import { containerConfig } from '../plan/runtime-config.js';
import type { PodStep, Waiting } from '../plan/steps.js';
import type { Reach } from '../reach/reach.js';
import { planDevices } from '../volumes/plan-mounts.js';
import type { VolumePlan } from '../volumes/plan-volumes.js';
import type { Volumes } from '../volumes/volumes.js';
import type { ObjectReader } from './object-reader.js';
import type { Semaphore } from './semaphore.js';

export interface StartDeps {
  readonly runtime: ContainerRuntime;
  readonly reach: Reach;
  readonly images: ImageProvider;
  readonly messages: TerminationMessages;
  readonly links: LogLinks;
  /** Absent for a runtime that does not isolate. */
  readonly isolation?: Isolation | undefined;
  readonly objects: ObjectReader;
  readonly volumes: Volumes;
  readonly places: Semaphore;
}

export interface StartInput {
  readonly pod: Pod;
  readonly step: Extract<PodStep, { do: 'startContainer' }>;
  readonly sandboxId: string;
  readonly sandbox: PodSandboxConfig;
  readonly volumes: readonly VolumePlan[];
  readonly facts: PodFacts;
  /** Address of the pod. */
  readonly address: string | undefined;
  readonly say: (event: PodEvent) => void;
  /** Aborts the wait for the image and for the hook, because the pod is to end. */
  readonly endSignal: AbortSignal;
}

/** What became of a start: nothing to say, or why the container waits. */
export type StartOutcome =
  | { readonly started: true; readonly id: string }
  | {
      readonly started: false;
      readonly waiting: Waiting;
      /** No other try before this time, milliseconds since the epoch; undefined: after the usual pause. */
      readonly retryAt?: number;
    };

/**
 * Starts one container: image, environment, creation, start. A failure is told in the words of the container's waiting
 * state and does not concern the pod's other containers.
 * @throws EdgeError `core.aborted`
 */
export async function startContainer(deps: StartDeps, input: StartInput, signal: AbortSignal): Promise<StartOutcome> {
  const { pod, step, facts } = input;
  const { container } = step;
  const fieldPath = `spec.${step.ephemeral ? 'ephemeralContainers' : step.init ? 'initContainers' : 'containers'}{${container.name}}`;
  const say = (reason: string, message: string): void => input.say({ type: 'Normal', reason, message, fieldPath });
  let phase = 'ErrImagePull';
  try {
    const told = (event: PodEvent): void => input.say({ ...event, fieldPath });
    const patience = AbortSignal.any([signal, input.endSignal]);
    const found = await deps.images.provide(pod, container, told, patience);
    phase = 'CreateContainerConfigError';
    const objects = await deps.objects.fetch(pod.metadata.namespace ?? '', environmentReferences(container), signal);
    const env = containerEnvironment({ pod, container, objects, facts });
    const handler = input.sandbox.runtimeHandler ?? '';
    const mounts = await deps.volumes.mounts({ pod, container, volumes: input.volumes, env, handler }, signal);
    const message = await deps.messages.prepare(pod.metadata.uid ?? '', container, step.restartCount);
    const isolated = await deps.isolation?.container({ pod, container, image: found, podIPs: facts.podIPs });
    const wanted = containerConfig({
      pod,
      container,
      restartCount: step.restartCount,
      backoffSeconds: step.backoffSeconds,
      image: found.id,
      env,
      mounts: [...mounts, ...(message ? [message] : []), ...(isolated?.mounts ?? [])],
      devices: planDevices(container, input.volumes),
      linux: isolated?.linux,
    });
    const config = withTarget(step, wanted);
    const id = await deps.places.run(async () => {
      phase = 'CreateContainerError';
      const made = await deps.runtime.createContainer(input.sandboxId, config, input.sandbox, signal);
      say('Created', `Container ${container.name} made`);
      phase = 'RunContainerError';
      await deps.runtime.startContainer(made, signal);
      say('Started', `Container ${container.name} started`);
      const { name: podName = '', namespace = '' } = pod.metadata;
      await deps.links.add({ pod: podName, namespace, name: container.name, id: made, logPath: `${input.sandbox.logDirectory}/${config.logPath}` });
      return made;
    });
    await postStart(deps, { pod, container, containerId: id, fieldPath, address: input.address, say: input.say }, patience);
    return { started: true, id };
  } catch (error) {
    if (isAbort(error)) throw error;
    const message = errorText(error);
    const { reason, retryAt } = error instanceof CannotStart ? error : { reason: phase, retryAt: undefined };
    // These have told so themselves.
    if (reason !== 'ImagePullBackOff' && reason !== 'PostStartHookError') input.say({ type: 'Warning', reason: 'Failed', message: `${reason}: ${message}`, fieldPath });
    return { started: false, waiting: { reason, message }, ...(retryAt === undefined ? {} : { retryAt }) };
  }
}

/** Lets an ephemeral container see the processes of the one it looks at. */
function withTarget({ ephemeral }: StartInput['step'], config: ContainerConfig): ContainerConfig {
  if (ephemeral?.missing !== undefined) throw new CannotStart('CreateContainerConfigError', `unable to find target container ${ephemeral.missing}`);
  if (ephemeral?.targetId === undefined) return config;
  return { ...config, linux: { ...config.linux, security: { ...config.linux?.security, targetContainerId: ephemeral.targetId } } };
}
