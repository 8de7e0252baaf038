import { mkdir, readdir, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, errorText, type Logger } from '@edge/core';
import { listFolder } from './log-files.js';

const LONGEST_NAME = 255;
const SUFFIX = '.log';

/** Links by which log collectors find what containers write: `/var/log/containers/<pod>_<namespace>_<container>-<id>.log`. */
export class LogLinks {
  readonly #folder: string;
  readonly #log: Logger;
  #told = false;

  constructor(deps: { podLogsDir: string; log: Logger }) {
    this.#folder = join(dirname(deps.podLogsDir), 'containers');
    this.#log = deps.log;
  }

  /** Makes the link of a container that has started. Never fails: no container depends on it. */
  async add(container: { pod: string; namespace: string; name: string; id: string; logPath: string }): Promise<void> {
    try {
      await this.#link(container.logPath, join(this.#folder, linkName(container)));
    } catch (error) {
      if (errorCode(error) === 'EEXIST' || this.#told) return;
      this.#told = true;
      this.#log.warn('log collectors will not find logs of containers', { folder: this.#folder, err: errorText(error) });
    }
  }

  async #link(target: string, path: string): Promise<void> {
    try {
      await symlink(target, path);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      await mkdir(this.#folder, { recursive: true, mode: 0o755 });
      await symlink(target, path);
    }
  }

  /** Removes links whose log is gone. */
  async sweep(): Promise<void> {
    if ((await listFolder(this.#folder)).length === 0) return;
    for (const entry of await readdir(this.#folder, { withFileTypes: true })) {
      const path = join(this.#folder, entry.name);
      if (entry.isSymbolicLink() && entry.name.endsWith(SUFFIX) && (await isDangling(path))) await rm(path, { force: true });
    }
  }
}

export function linkName({ pod, namespace, name, id }: { pod: string; namespace: string; name: string; id: string }): string {
  return `${`${pod}_${namespace}_${name}-${id}`.slice(0, LONGEST_NAME - SUFFIX.length)}${SUFFIX}`;
}

async function isDangling(path: string): Promise<boolean> {
  try {
    await stat(path);
    return false;
  } catch (error) {
    return errorCode(error) === 'ENOENT';
  }
}
