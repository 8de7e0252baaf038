import type { FileHandle } from 'node:fs/promises';
import { open, rm } from 'node:fs/promises';
import { fstatSync, ftruncateSync } from 'node:fs';
import type { Logger } from '@edge/core';
import { errorText } from '@edge/core';
import type { LogStream } from './cri-log.js';
import { encodeLog, logStamp, MAX_LOG_TEXT } from './cri-log.js';
import type { ContainerPaths } from './layout.js';
import { LogFile } from './log-file.js';

/** All processes of a container at rest, so that an output file can be emptied without losing what is being written. */
export interface Pause {
  /** True while really nobody can write. Answers at once. */
  holds(): boolean;
  release(): void;
}

export interface LogPumpDeps {
  readonly paths: ContainerPaths;
  /** Absolute path of the log. */
  readonly logPath: string;
  readonly log: Logger;
  /** Bytes of an output file above which it is emptied. */
  readonly rawLimit: number;
  /** Stops the container's processes; undefined when they could not all be stopped. */
  readonly pause: () => Promise<Pause | undefined>;
}

const CHUNK = 256 * 1024;
/** Output that arrives within this time is logged together. */
const GATHER_MS = 10;
/** After a pause that did not succeed, the pods run on for at least this long. */
const PAUSE_AGAIN_MS = 5_000;

/**
 * Carries a container's output from the two files that its processes append to into its log. The work is done one step
 * after the other; `poke` asks for a step soon, and a failed step (disk full) is repeated at the next poke.
 */
export class LogPump {
  readonly #deps: LogPumpDeps;
  readonly #file: LogFile;
  readonly #raw: Readonly<Record<LogStream, FileHandle>>;
  #work: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #failing = false;
  #pauseAfter = 0;
  #closed = false;

  private constructor(deps: LogPumpDeps, file: LogFile, raw: Readonly<Record<LogStream, FileHandle>>) {
    this.#deps = deps;
    this.#file = file;
    this.#raw = raw;
  }

  static async open(deps: LogPumpDeps): Promise<LogPump> {
    const file = await LogFile.open(deps.logPath, deps.paths.position);
    return new LogPump(deps, file, { stdout: await open(deps.paths.stdout, 'a+', 0o600), stderr: await open(deps.paths.stderr, 'a+', 0o600) });
  }

  /** Says that there may be new output. */
  poke(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#step(() => this.#drainAll(false));
    }, GATHER_MS).unref();
  }

  /** Goes on in a new file at the log's path. */
  reopen(): Promise<void> {
    return this.#inTurn(() => this.#file.reopen());
  }

  /** Logs what is left, the unfinished line too. When all is logged the output files are removed. */
  async finish(): Promise<boolean> {
    const done = await this.#step(() => this.#drainAll(true));
    if (done) await Promise.all([rm(this.#deps.paths.stdout, { force: true }), rm(this.#deps.paths.stderr, { force: true })]);
    return done;
  }

  /** Stops at the next step; what is not logged yet stays in the output files. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#work;
    await Promise.all([this.#raw.stdout.close(), this.#raw.stderr.close(), this.#file.close()]);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.#work.then(work);
    this.#work = result.catch(() => undefined);
    return result;
  }

  /** True when it succeeded. The first failure in a row is told, for no caller is there to be told. */
  async #step(work: () => Promise<void>): Promise<boolean> {
    try {
      await this.#inTurn(work);
      this.#failing = false;
      return true;
    } catch (error) {
      if (!this.#failing) this.#deps.log.warn('output cannot be logged at present; it is kept', { log: this.#deps.logPath, error: errorText(error) });
      this.#failing = true;
      return false;
    }
  }

  async #drainAll(flush: boolean): Promise<void> {
    for (const stream of ['stdout', 'stderr'] as const) {
      await this.#drain(stream, flush);
      if (!flush && this.#file.offsets[stream] > this.#deps.rawLimit) await this.#shorten(stream);
    }
  }

  async #drain(stream: LogStream, flush: boolean): Promise<void> {
    const buffer = Buffer.allocUnsafe(CHUNK);
    while (!this.#closed || flush) {
      const { bytesRead } = await this.#raw[stream].read(buffer, 0, CHUNK, this.#file.offsets[stream]);
      if (bytesRead === 0) {
        if ((await this.#raw[stream].stat()).size >= this.#file.offsets[stream]) return;
        // Emptied: by a step that was killed right after, or by a pod that opened /dev/stdout anew.
        this.#file.restart(stream);
        continue;
      }
      const { bytes, consumed } = encodeLog(buffer.subarray(0, bytesRead), stream, logStamp(Date.now()), flush && bytesRead <= MAX_LOG_TEXT);
      if (consumed === 0) return;
      await this.#file.append(bytes, stream, consumed);
    }
  }

  /** Empties an output file that became too long. Its writers append, so they go on at its new end. */
  async #shorten(stream: LogStream): Promise<void> {
    if (this.#closed || Date.now() < this.#pauseAfter) return;
    const pause = await this.#deps.pause();
    try {
      if (pause) {
        await this.#drain(stream, true);
        const { fd } = this.#raw[stream];
        // From the check to the cut nothing may come in between, hence synchronous.
        if (pause.holds() && fstatSync(fd).size === this.#file.offsets[stream]) {
          ftruncateSync(fd, 0);
          this.#file.restart(stream);
          return;
        }
      }
      this.#pauseAfter = Date.now() + PAUSE_AGAIN_MS;
    } finally {
      pause?.release();
    }
  }
}
