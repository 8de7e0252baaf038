import { errorText, isAbort, type ContainerRuntime, type PodSandboxConfig } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { CannotStart } from '../errors.js';
import type { ImageProvider } from '../images/images.js';
import type { LogLinks } from '../logs/log-links.js';
import type { TerminationMessages } from '../messages/termination-messages.js';
import { containerEnvironment } from '../plan/environment.js';
import type { PodEvent } from '../plan/event.js';
import type { PodFacts } from '../plan/pod-fields.js';
import { environmentReferences } from '../plan/references.js';
import { containerConfig } from '../plan/runtime-config.js';
import type { PodStep, Waiting } from '../plan/steps.js';
import { containerMounts, type VolumePlan } from '../volumes/plan-volumes.js';
import type { ObjectReader } from './object-reader.js';
import type { Semaphore } from './semaphore.js';
import { prepareSubPaths } from '../volumes/sub-paths.js';

export interface StartDeps {
  readonly runtime: ContainerRuntime;
  readonly images: ImageProvider;
  readonly messages: TerminationMessages;
  readonly links: LogLinks;
  readonly objects: ObjectReader;
  readonly places: Semaphore;
}

export interface StartInput {
  readonly pod: Pod;
  readonly step: Extract<PodStep, { do: 'startContainer' }>;
  readonly sandboxId: string;
  readonly sandbox: PodSandboxConfig;
  readonly volumes: readonly VolumePlan[];
  readonly facts: PodFacts;
  readonly say: (event: PodEvent) => void;
  /** Aborts the wait for the image, because the pod is to end. */
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
  const fieldPath = `spec.${step.init ? 'initContainers' : 'containers'}{${container.name}}`;
  const say = (reason: string, message: string): void => input.say({ type: 'Normal', reason, message, fieldPath });
  let phase = 'ErrImagePull';
  try {
    const told = (event: PodEvent): void => input.say({ ...event, fieldPath });
    const { id: image } = await deps.images.provide(pod, container, told, AbortSignal.any([signal, input.endSignal]));
    phase = 'CreateContainerConfigError';
    const objects = await deps.objects.fetch(pod.metadata.namespace ?? '', environmentReferences(container), signal);
    const env = containerEnvironment({ pod, container, objects, facts });
    const mounts = containerMounts(container, input.volumes, env);
    await prepareSubPaths(mounts, input.volumes);
    const message = await deps.messages.prepare(pod.metadata.uid ?? '', container, step.restartCount);
    const config = containerConfig({
      pod,
      container,
      restartCount: step.restartCount,
      backoffSeconds: step.backoffSeconds,
      image,
      env,
      mounts: message ? [...mounts, message] : mounts,
    });
    return await deps.places.run(async () => {
      phase = 'CreateContainerError';
      const id = await deps.runtime.createContainer(input.sandboxId, config, input.sandbox, signal);
      say('Created', `Container ${container.name} made`);
      phase = 'RunContainerError';
      await deps.runtime.startContainer(id, signal);
      say('Started', `Container ${container.name} started`);
      const { name: podName = '', namespace = '' } = pod.metadata;
      await deps.links.add({ pod: podName, namespace, name: container.name, id, logPath: `${input.sandbox.logDirectory}/${config.logPath}` });
      return { started: true, id };
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    const message = errorText(error);
    const { reason, retryAt } = error instanceof CannotStart ? error : { reason: phase, retryAt: undefined };
    // A pull that has to wait has told so itself.
    if (reason !== 'ImagePullBackOff') input.say({ type: 'Warning', reason: 'Failed', message: `${reason}: ${message}`, fieldPath });
    return { started: false, waiting: { reason, message }, ...(retryAt === undefined ? {} : { retryAt }) };
  }
}
