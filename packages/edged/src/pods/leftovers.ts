import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText, type Logger } from '@edge/core';

/** `<namespace>_<name>_<uid>`: names of Kubernetes hold no underscore. */
const LOG_FOLDER = /^[a-z0-9.-]+_[a-z0-9.-]+_([\w.-]+)$/;
const POD_FOLDER = /^([\w-][\w.-]*)$/;

/**
 * Removes log folders and pod folders of pods that are long gone. A folder has to be found ownerless twice, so that
 * somebody who looks after a deleted pod still finds its last words for a while.
 */
export class Leftovers {
  readonly #root: string;
  readonly #podLogsDir: string;
  readonly #removePod: (uid: string, signal: AbortSignal) => Promise<void>;
  readonly #log: Logger;
  #suspects = new Set<string>();

  /** @param deps.removePod takes down what is mounted in the folder of a pod, and removes the folder */
  constructor(deps: { root: string; podLogsDir: string; removePod: (uid: string, signal: AbortSignal) => Promise<void>; log: Logger }) {
    this.#root = deps.root;
    this.#podLogsDir = deps.podLogsDir;
    this.#removePod = deps.removePod;
    this.#log = deps.log;
  }

  /** @param isKnown whether the agent or the runtime still has a pod of this uid */
  async sweep(isKnown: (uid: string) => boolean, signal: AbortSignal): Promise<void> {
    const suspects = new Set<string>();
    await this.#look(this.#podLogsDir, LOG_FOLDER, isKnown, suspects, (path) => rm(path, { recursive: true, force: true }));
    await this.#look(join(this.#root, 'pods'), POD_FOLDER, isKnown, suspects, (_, uid) => this.#removePod(uid, signal));
    this.#suspects = suspects;
  }

  async #look(
    directory: string,
    form: RegExp,
    isKnown: (uid: string) => boolean,
    suspects: Set<string>,
    remove: (path: string, uid: string) => Promise<void>,
  ): Promise<void> {
    for (const entry of await list(directory)) {
      const uid = form.exec(entry)?.[1];
      if (uid === undefined || isKnown(uid)) continue;
      const path = join(directory, entry);
      if (!this.#suspects.has(path)) {
        suspects.add(path);
        continue;
      }
      await remove(path, uid).catch((error: unknown) => {
        this.#log.warn('folder of a pod that is gone cannot be removed', { path, err: errorText(error) });
      });
    }
  }
}

async function list(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
