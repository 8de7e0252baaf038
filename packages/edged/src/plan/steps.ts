import type { Container, LifecycleHandler } from '@edge/protocol';

/** Everything that can be done to a pod in the runtime, as data. Steps are done in order. */
export type PodStep =
  /** Directories, files and checks of all volumes; before the first container of a pod that starts. */
  | { readonly do: 'prepareVolumes' }
  | { readonly do: 'createSandbox'; readonly attempt: number }
  | {
      readonly do: 'startContainer';
      readonly container: Container;
      readonly init: boolean;
      /** Of an ephemeral container: the run whose processes it sees, if it asks for one; the name when there is no such run. */
      readonly ephemeral?: { readonly targetId?: string; readonly missing?: string };
      /** Also the attempt of the container. */
      readonly restartCount: number;
      /** Written down with the container for its own restart, see `decideRestart`. */
      readonly backoffSeconds: number;
    }
  /** Ends containers: side by side, but for those that wait for others of the same step. */
  | { readonly do: 'killContainers'; readonly containers: readonly ContainerKill[] }
  | { readonly do: 'stopSandbox'; readonly sandboxId: string }
  /** With its log, where that is named. */
  | { readonly do: 'removeContainer'; readonly containerId: string; readonly logPath?: string }
  | { readonly do: 'removeSandbox'; readonly sandboxId: string };

export interface ContainerKill {
  readonly containerId: string;
  readonly name: string;
  /** Field of the pod that it is about. */
  readonly fieldPath: string;
  /** From the beginning of the step: hook and waiting for others included. */
  readonly graceSeconds: number;
  /** For people, goes into the event. */
  readonly why: string;
  /** Runs before it is told to end. */
  readonly preStop?: LifecycleHandler;
  /** By which the hook may name a port. */
  readonly ports?: Container['ports'];
  /** Containers of the same step that end before it is told to. */
  readonly after?: readonly string[];
}

/** What keeps a container from running, in the words of its `waiting` state. */
export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

/** What is to be done for a pod. All empty: as desired. */
export interface PodPlan {
  readonly steps: readonly PodStep[];
  /** Look again at this time, milliseconds since the epoch; undefined: only when something happens. */
  readonly wakeAt?: number;
  /** Containers that have to wait, by name. */
  readonly waiting: ReadonlyMap<string, Waiting>;
}
