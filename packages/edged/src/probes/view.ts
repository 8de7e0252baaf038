import type { RuntimeContainerStatus } from '@edge/core';

/** What the probes of a pod say about runs of its containers. A container without a probe is what its state says. */
export interface ProbeView {
  /** It runs and may get traffic. */
  ready(container: RuntimeContainerStatus): boolean;
  /** It runs and has come up. */
  started(container: RuntimeContainerStatus): boolean;
  /** The run has to end. It stays so after it has ended, because a run that was ended for this is followed by another. */
  failed(container: RuntimeContainerStatus): ProbeFailure | undefined;
}

export interface ProbeFailure {
  /** `failed liveness probe`. */
  readonly why: string;
  /** Time to end that the probe itself gives, instead of the pod's. */
  readonly graceSeconds?: number;
}

const runs = ({ state }: RuntimeContainerStatus): boolean => state === 'running';

/** The view of a pod without probes. */
export const noProbes: ProbeView = { ready: runs, started: runs, failed: () => undefined };
