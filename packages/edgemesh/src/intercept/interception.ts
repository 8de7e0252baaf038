import type { KernelPort } from './plan-table.js';

/** Rules of the kernel that send connections on, whichever program sets them. */
export interface Interception {
  /** @throws EdgeError `edgemesh.intercept` when the program is not there, may not be used, or the kernel cannot do it */
  probe(): Promise<void>;
  /** These ports and no others. Rejects with what the program says. */
  apply(ports: readonly KernelPort[]): Promise<void>;
  /** @returns true when somebody had taken something away, which is back now */
  repair(): Promise<boolean>;
  /**
   * The end: new connections are sent on no more after these seconds; open ones are translated on. Where rules cannot end by
   * themselves they are removed at once.
   */
  leave(seconds: number): Promise<void>;
  /** Removes whatever a predecessor left that worked in this way. */
  clear(): Promise<void>;
}
