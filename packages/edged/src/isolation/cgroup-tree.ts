import type { CgroupLimits } from './cgroup-files.js';

/** The control groups of a machine. Paths are below the mounts: `/kubepods/pod…`. */
export interface CgroupTree {
  readonly version: 1 | 2;
  /** Controllers that can be used. */
  readonly controllers: ReadonlySet<string>;
  /** True when the group is there for every controller that pods need. */
  exists(path: string): Promise<boolean>;
  /**
   * Makes a group with all above it, and sets its limits. Calling again sets the limits again.
   * @throws EdgeError `edged.cgroups`
   */
  make(path: string, limits: CgroupLimits): Promise<void>;
  /** Names of the groups directly below. */
  children(path: string): Promise<readonly string[]>;
  /**
   * Ends by force what still runs in the group and below, and removes all of it. Nothing there is fine.
   * @throws EdgeError `edged.cgroups` when it is still in use after some seconds
   */
  remove(path: string, signal: AbortSignal): Promise<void>;
}
