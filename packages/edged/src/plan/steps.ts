import type { Container } from '@edge/protocol';

/** Everything that can be done to a pod in the runtime, as data. Steps are done in order. */
export type PodStep =
  /** Directories, files and checks of all volumes; before the first container of a pod that starts. */
  | { readonly do: 'prepareVolumes' }
  | { readonly do: 'createSandbox'; readonly attempt: number }
  | {
      readonly do: 'startContainer';
      readonly container: Container;
      readonly init: boolean;
      /** Also the attempt of the container. */
      readonly restartCount: number;
      /** Written down with the container for its own restart, see `decideRestart`. */
      readonly backoffSeconds: number;
    }
  /** Ends containers: all of one step side by side. */
  | { readonly do: 'killContainers'; readonly containers: readonly ContainerKill[] }
  | { readonly do: 'stopSandbox'; readonly sandboxId: string }
  /** With its log, where that is named. */
  | { readonly do: 'removeContainer'; readonly containerId: string; readonly logPath?: string }
  | { readonly do: 'removeSandbox'; readonly sandboxId: string };

export interface ContainerKill {
  readonly containerId: string;
  readonly name: string;
  readonly graceSeconds: number;
  /** For people, goes into the event. */
  readonly why: string;
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
