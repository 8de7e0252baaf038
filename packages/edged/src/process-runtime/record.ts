import type { ContainerConfig, PodSandboxConfig } from '@edge/core';

/** A sandbox as it is kept on disk. */
export interface SandboxRecord {
  readonly id: string;
  readonly createdAt: number;
  readonly config: PodSandboxConfig;
  /** The boot in which it was made; with the next boot it is no longer ready. */
  readonly boot: string;
  readonly stopped: boolean;
}

/** A container as it is kept on disk. Its state is not in here: that follows from what its keeper wrote. */
export interface ContainerRecord {
  readonly id: string;
  readonly sandboxId: string;
  readonly createdAt: number;
  readonly config: ContainerConfig;
  /** Absolute path of the log; empty for no log. */
  readonly logPath: string;
}
