import { errorText, isAbort } from '@edge/core';

/** Upstream's limit for each item. */
export const LIMIT_PERCENT = 80;

/** What is measured. Percent in use, 0 to 100. */
export interface LoadMeter {
  cpu(signal: AbortSignal): Promise<number>;
  memory(): Promise<number>;
  /** Of the filesystem that holds the root directory. */
  rootDisk(): Promise<number>;
  /** Of all filesystems on disks, by mount point. */
  disks(): Promise<readonly { readonly path: string; readonly percent: number }[]>;
}

/** Which disks count for item `disk`. */
export type DiskScope = 'root' | 'all';

/** Why the node fails in an item; undefined when it does not. */
export async function checkItem(item: string, meter: LoadMeter, scope: DiskScope, signal: AbortSignal): Promise<string | undefined> {
  try {
    switch (item) {
      case 'cpu':
        return excess('processors', await meter.cpu(signal));
      case 'mem':
        return excess('memory', await meter.memory());
      case 'disk':
        return scope === 'root' ? excess('the disk of /', await meter.rootDisk()) : firstExcess(await meter.disks());
      default:
        return `check item ${JSON.stringify(item)} is not known; known are "cpu", "mem" and "disk"`;
    }
  } catch (error) {
    if (isAbort(error)) throw error;
    return `${item} cannot be measured: ${errorText(error)}`;
  }
}

function firstExcess(disks: readonly { readonly path: string; readonly percent: number }[]): string | undefined {
  for (const { path, percent } of disks) {
    const problem = excess(`the disk of ${path}`, percent);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function excess(what: string, percent: number): string | undefined {
  return percent > LIMIT_PERCENT ? `${what}: ${percent.toFixed(2)} % in use, more than the ${LIMIT_PERCENT} % that jobs are done with` : undefined;
}
