import { watch, type FSWatcher } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { errorCode, errorText, sleep } from '@edge/core';
import { edgedError } from '../errors.js';
import { LogText, type LogTextOptions } from './log-text.js';
import { tailOffset } from './tail-offset.js';

export interface ReadContainerLogOptions extends LogTextOptions {
  /** Absolute path of the file that the runtime writes. */
  readonly path: string;
  /** Only the last lines; 0 for none of what is there. */
  readonly tailLines?: number;
  /** Go on with what is written later, until the container has ended. */
  readonly follow?: boolean;
  /** Whether more may come; asked while following. */
  readonly isRunning?: () => boolean | Promise<boolean>;
  readonly signal?: AbortSignal;
}

const CHUNK = 64 * 1024;
/** Between looks while following: a net under the notices of the file system, and the pace at which an end is noticed. */
const LOOK_MS = 1_000;
/** A runtime still empties its buffers into a file after it has opened the next one, and after the container has ended. */
const SETTLE_MS = 300;
const SETTLE_LOOK_MS = 30;

/**
 * What a container has written, as `kubectl logs` shows it. Reads no faster than the caller takes. Follows the file through
 * rotation; when the signal aborts it just ends.
 * @throws EdgeError `edged.log` when the file is not there or cannot be read
 */
export async function* readContainerLog(options: ReadContainerLogOptions): AsyncGenerator<Uint8Array, void, undefined> {
  const { path, follow = false, signal = new AbortController().signal } = options;
  const text = new LogText(options);
  let file = await openLog(path);
  let notices: Notices | undefined;
  try {
    const { size } = await file.stat();
    let offset = options.tailLines === undefined ? 0 : await tailOffset(file, size, options.tailLines, options.stream);
    if (follow) notices = new Notices(path);
    const buffer = Buffer.allocUnsafe(CHUNK);
    let next: FileHandle | undefined;
    /** Once set: what is not there by then will not come any more. */
    let settledAt = follow ? undefined : 0;
    while (!signal.aborted && !text.full) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, offset);
      if (bytesRead > 0) {
        offset += bytesRead;
        const piece = text.take(buffer.subarray(0, bytesRead));
        if (piece.length > 0) yield piece;
        continue;
      }
      if (settledAt !== undefined && performance.now() < settledAt) {
        await sleep(SETTLE_LOOK_MS, signal).catch(() => undefined);
        continue;
      }
      if (next) {
        await file.close();
        [file, next, offset, settledAt] = [next, undefined, 0, undefined];
        text.newFile();
        continue;
      }
      if (settledAt !== undefined) break;
      const found = await lookAgain(path, file, offset);
      if (found === 'emptied') offset = 0;
      else if (found) next = found;
      if (next || !(await (options.isRunning?.() ?? true))) settledAt = performance.now() + SETTLE_MS;
      else await notices?.wait(LOOK_MS, signal);
    }
    const rest = signal.aborted ? Buffer.alloc(0) : text.rest();
    if (rest.length > 0) yield rest;
  } finally {
    notices?.close();
    await file.close();
  }
}

/** The file that has taken the place of the one being read, if another has; `emptied` when it was cut in place. */
async function lookAgain(path: string, file: FileHandle, offset: number): Promise<FileHandle | 'emptied' | undefined> {
  const [now, ours] = await Promise.all([stat(path).catch(() => undefined), file.stat()]);
  if (now === undefined) return undefined;
  if (now.ino === ours.ino && now.dev === ours.dev) return ours.size < offset ? 'emptied' : undefined;
  return open(path, 'r').catch(() => undefined);
}

async function openLog(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    const why = errorCode(cause) === 'ENOENT' ? 'is not there (any more)' : `cannot be read: ${errorText(cause)}`;
    throw edgedError('edged.log', `the log file ${path} ${why}`, cause);
  }
}

/** Tells of changes in a file's directory; where the system has no watches left, time alone has to do. */
class Notices {
  #wake: (() => void) | undefined;
  #missed = false;
  readonly #watcher: FSWatcher | undefined;

  constructor(path: string) {
    const name = basename(path);
    try {
      this.#watcher = watch(dirname(path), { persistent: false }, (_kind, changed) => {
        if (changed !== null && changed !== name) return;
        this.#missed = true;
        this.#wake?.();
      });
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      this.#watcher = undefined;
    }
  }

  /** Returns at the next change, at once after a change since the last wait, at the end of the time, or at the abort. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#missed) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, ms);
        signal.addEventListener('abort', done, { once: true });
        this.#wake = done;
      });
      this.#wake = undefined;
    }
    this.#missed = false;
  }

  close(): void {
    this.#watcher?.close();
  }
}
