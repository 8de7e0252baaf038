import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { errorText, type Logger } from '@edge/core';
import type { CgroupFilesystem } from './cgroup-filesystem.js';
import type { CgroupLimits } from './cgroup-files.js';
import type { CgroupTree } from './cgroup-tree.js';
import { changeSlice, slicesOnTheWay, startSlice, stopSlice } from './slice-properties.js';

export interface SystemdSlicesDeps {
  readonly files: CgroupFilesystem;
  /** Runs `busctl` with arguments; rejects with what it says on stderr. */
  readonly busctl: (args: readonly string[]) => Promise<void>;
  readonly log: Logger;
}

/**
 * Control groups that belong to systemd, as its slices: they are started and stopped by systemd, so that it does not
 * undo them at its next reload. What systemd has no property for is written to the files.
 */
export class SystemdSlices implements CgroupTree {
  readonly version: 1 | 2;
  readonly controllers: ReadonlySet<string>;
  readonly #files: CgroupFilesystem;
  readonly #busctl: SystemdSlicesDeps['busctl'];
  readonly #log: Logger;
  /** What was told of each slice last, so that nothing is said twice. */
  readonly #told = new Map<string, string>();

  constructor(deps: SystemdSlicesDeps) {
    this.#files = deps.files;
    this.version = deps.files.version;
    this.controllers = deps.files.controllers;
    this.#busctl = deps.busctl;
    this.#log = deps.log;
  }

  exists(path: string): Promise<boolean> {
    return this.#files.exists(path);
  }

  async make(path: string, limits: CgroupLimits): Promise<void> {
    for (const above of slicesOnTheWay(path).slice(0, -1)) if (!this.#told.has(above)) await this.#start(above, {});
    await this.#start(path, limits);
    await this.#files.make(path, limits);
  }

  children(path: string): Promise<readonly string[]> {
    return this.#files.children(path);
  }

  async remove(path: string, signal: AbortSignal): Promise<void> {
    if (this.#told.delete(path) || (await this.#files.exists(path))) {
      await this.#busctl(stopSlice(path)).catch((error: unknown) => this.#log.verbose(2, 'slice not stopped', { slice: basename(path), err: errorText(error) }));
    }
    await this.#files.remove(path, signal);
  }

  /** Without systemd's help the files still hold the limits until its next reload. */
  async #start(path: string, limits: CgroupLimits): Promise<void> {
    const args = startSlice(path, this.version, limits);
    if (this.#told.get(path) === args.join(' ')) return;
    this.#told.set(path, args.join(' '));
    try {
      await this.#busctl(args);
    } catch (error) {
      const change = isAlreadyThere(error) ? changeSlice(path, this.version, limits) : undefined;
      const problem = isAlreadyThere(error) ? await failureOf(change && this.#busctl(change)) : error;
      if (problem !== undefined) this.#log.warn('systemd does not take the limits of a slice', { slice: basename(path), err: errorText(problem) });
    }
  }
}

const run = promisify(execFile);

/** The real `busctl`, at most ten seconds. */
export async function runBusctl(args: readonly string[]): Promise<void> {
  await run('busctl', [...args], { timeout: 10_000 });
}

function isAlreadyThere(error: unknown): boolean {
  return errorText(error).includes('already') || errorText(error).includes('UnitExists');
}

async function failureOf(work: Promise<void> | undefined): Promise<unknown> {
  return work?.then(
    () => undefined,
    (error: unknown) => error,
  );
}
