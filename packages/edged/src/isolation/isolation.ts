import type { ContainerConfig, Mount, PodSandboxConfig } from '@edge/core';
import type { Container, Pod } from '@edge/protocol';
import type { PodEvent } from '../plan/event.js';
import type { ImageUser } from './security.js';

/** What keeps pods apart from each other and from the machine. Only for runtimes that isolate. */
export interface Isolation {
  /**
   * What a sandbox is to be made with, also told with each of its containers.
   * @throws EdgeError when the pod cannot be isolated as it wants: `edged.hostname`, `edged.resolver`, `edged.runtime-class`
   */
  sandbox(pod: Pod, signal: AbortSignal): Promise<IsolatedSandbox>;
  /**
   * What has to be there before the sandbox is made.
   * @throws EdgeError `edged.cgroups`
   */
  prepare(pod: Pod): Promise<void>;
  /**
   * What a container is to be made with.
   * @throws CannotStart when it must not run like that; EdgeError `edged.cgroups`
   */
  container(input: ContainerIsolationInput): Promise<IsolatedContainer>;
  /** Better words for a failure of the runtime, where its cause is known. */
  explain(error: unknown): unknown;
  /**
   * Takes back what was made for a pod that is over, and ends by force what still runs of it.
   * @throws EdgeError `edged.cgroups`
   */
  release(uid: string, signal: AbortSignal): Promise<void>;
  /** The same for pods that nobody knows. */
  sweep(isKnown: (uid: string) => boolean, signal: AbortSignal): Promise<void>;
}

export interface IsolatedSandbox {
  readonly config: Pick<PodSandboxConfig, 'dns' | 'hostname' | 'linux' | 'runtimeHandler'>;
  /** For people, to be told when the sandbox is made. */
  readonly warnings: readonly PodEvent[];
}

export interface ContainerIsolationInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly image: ImageUser;
  readonly podIPs: readonly string[];
}

export interface IsolatedContainer {
  readonly linux: NonNullable<ContainerConfig['linux']>;
  readonly mounts: readonly Mount[];
}
