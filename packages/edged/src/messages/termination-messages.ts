import { constants } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode, errorText, type Logger, type Mount, type RuntimeContainerStatus } from '@edge/core';
import type { Container } from '@edge/protocol';
import { readContainerLog } from '../logs/read-container-log.js';
import { ContainerAnnotations, DEFAULT_MESSAGE_PATH } from '../plan/identity.js';
import { podDirectory } from '../volumes/layout.js';

/** Bytes read of a message, from its end. */
const MESSAGE_BYTES = 4096;
/** What stands for the message of a container that failed without one: lines of its log, and bytes of them. */
const LOG_LINES = 80;
const LOG_BYTES = 2048;
/** The runtime may still be writing the log when it says that the container has ended. */
const SETTLE_MS = 100;
/** Files of earlier runs that stay: more than any configuration keeps containers that could tell of them. */
const FILES_KEPT = 32;

/** Last words of containers: each run gets a file that it can write to, and what it wrote goes into its status. */
export class TerminationMessages {
  readonly #root: string;
  readonly #log: Logger;

  /** @param root the agent's root directory */
  constructor(deps: { root: string; log: Logger }) {
    this.#root = deps.root;
    this.#log = deps.log;
  }

  /**
   * Makes the file of a run; any user of the container may write to it.
   * @returns its mount; undefined when it cannot be made: the container shall run all the same
   */
  async prepare(uid: string, container: Container, attempt: number): Promise<Mount | undefined> {
    const containerPath = container.terminationMessagePath || DEFAULT_MESSAGE_PATH;
    const folder = join(podDirectory(this.#root, uid), 'containers', container.name);
    const hostPath = join(folder, attempt.toString(16).padStart(8, '0'));
    try {
      await mkdir(folder, { recursive: true, mode: 0o750 });
      await using file = await open(hostPath, 'w');
      // As a mode of creation it would fall victim to the umask.
      await file.chmod(0o666);
      if (attempt >= FILES_KEPT) await removeOld(folder);
      return { containerPath, hostPath };
    } catch (error) {
      this.#log.warn('no file for a termination message', { path: hostPath, err: errorText(error) });
      return undefined;
    }
  }

  /** A container that has ended, with its last words in its message; any other one as it is. */
  async complete(status: RuntimeContainerStatus): Promise<RuntimeContainerStatus> {
    if (status.state !== 'exited') return status;
    const words = await lastWords(status);
    if (words === '') return status;
    return { ...status, message: status.message === '' ? words : `${status.message}: ${words}` };
  }
}

async function lastWords(status: RuntimeContainerStatus): Promise<string> {
  const path = status.annotations[ContainerAnnotations.messagePath];
  const mount = path === undefined ? undefined : status.mounts.find(({ containerPath }) => containerPath === path);
  const written = mount === undefined ? '' : await readEnd(mount.hostPath);
  const fallsBack = status.annotations[ContainerAnnotations.messagePolicy] === 'FallbackToLogsOnError';
  if (written !== '' || !fallsBack || (status.exitCode === 0 && status.reason !== 'OOMKilled')) return written;
  return readLog(status.logPath);
}

async function readEnd(path: string): Promise<string> {
  try {
    // A pod can mount what it likes there. To open a pipe would take one of the few threads for good.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await file.stat();
    if (!found.isFile()) return '';
    const { size } = found;
    const bytes = Buffer.alloc(Math.min(size, MESSAGE_BYTES));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8', 0, bytesRead);
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? '' : `the termination message in ${path} cannot be read: ${errorText(error)}`;
  }
}

async function readLog(path: string): Promise<string> {
  let end = Buffer.alloc(0);
  try {
    await delay(SETTLE_MS);
    for await (const piece of readContainerLog({ path, tailLines: LOG_LINES })) end = Buffer.concat([end, piece]).subarray(-LOG_BYTES);
  } catch {
    // It ended before it wrote anything, or its log is gone or damaged: the status must not depend on it.
  }
  return end.toString('utf8');
}

async function removeOld(folder: string): Promise<void> {
  const names = (await readdir(folder)).sort();
  await Promise.all(names.slice(0, -FILES_KEPT).map((name) => rm(join(folder, name), { force: true })));
}
