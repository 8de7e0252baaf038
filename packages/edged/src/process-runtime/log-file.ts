import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeSync } from 'node:fs';
import type { LogStream } from './cri-log.js';
import { measureLog } from './cri-log.js';
import { readText } from './json-file.js';

/** Bytes of each output file that are in the log already. */
export type Offsets = Record<LogStream, number>;

interface Position extends Offsets {
  /** Which log file, by inode, for it may have been renamed since. */
  readonly inode: number;
  /** Size that the log file had when the offsets were true. */
  readonly size: number;
}

/**
 * The log file of a container together with its position file, which says how much of the output is in it.
 *
 * Lines are appended first and the position is written afterwards. After a kill in between, the lines beyond the
 * recorded size tell how much further the log is. So nothing is lost and nothing is written twice.
 */
export class LogFile {
  readonly offsets: Offsets;
  readonly #path: string;
  readonly #position: FileHandle;
  #log: FileHandle;
  #inode: number;
  #size: number;

  private constructor(path: string, position: FileHandle, log: FileHandle, inode: number, size: number, offsets: Offsets) {
    this.#path = path;
    this.#position = position;
    this.#log = log;
    this.#inode = inode;
    this.#size = size;
    this.offsets = offsets;
  }

  /** Opens or creates the log and works out how far it is. */
  static async open(path: string, positionPath: string): Promise<LogFile> {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    const before = parsePosition(await readText(positionPath));
    const offsets = before ? await recover(path, before) : { stdout: 0, stderr: 0 };
    const position = await open(positionPath, before ? 'r+' : 'w+', 0o600);
    const log = await open(path, 'a', 0o640);
    const { ino, size } = await log.stat();
    const file = new LogFile(path, position, log, ino, size, offsets);
    file.#keepPosition();
    return file;
  }

  /** Appends lines that stand for `consumed` bytes of a stream. On an error the log is as it was before. */
  async append(lines: Buffer, stream: LogStream, consumed: number): Promise<void> {
    try {
      await this.#log.writeFile(lines);
    } catch (error) {
      // What could be written of it must not stay, or it would be there twice. The first error is the one to tell.
      await this.#log.truncate(this.#size).catch(() => undefined);
      throw error;
    }
    this.#size += lines.length;
    this.offsets[stream] += consumed;
    this.#keepPosition();
  }

  /** Notes that an output file begins anew. */
  restart(stream: LogStream): void {
    this.offsets[stream] = 0;
    this.#keepPosition();
  }

  /** Goes on in a new file at the same path, after the old one was renamed. */
  async reopen(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o755 });
    const next = await open(this.#path, 'a', 0o640);
    const { ino, size } = await next.stat();
    await this.#log.close();
    this.#log = next;
    this.#inode = ino;
    this.#size = size;
    this.#keepPosition();
  }

  async close(): Promise<void> {
    await this.#log.close();
    await this.#position.close();
  }

  /** One small write in place: a kill cannot tear it. Not synced: after a loss of power the log may have lost lines too. */
  #keepPosition(): void {
    const text = [this.#inode, this.#size, this.offsets.stdout, this.offsets.stderr].join(' ');
    writeSync(this.#position.fd, `${text.padEnd(95)}\n`, 0);
  }
}

function parsePosition(text: string | undefined): Position | undefined {
  const [inode, size, stdout, stderr] = (text ?? '').trim().split(/\s+/).map(Number);
  if (inode === undefined || size === undefined || stdout === undefined || stderr === undefined) return undefined;
  return { inode, size, stdout, stderr };
}

/** Adds what was logged after the position was written, and cuts a torn last line off. */
async function recover(path: string, before: Position): Promise<Offsets> {
  const offsets = { stdout: before.stdout, stderr: before.stderr };
  const current = await findByInode(path, before.inode);
  if (current === undefined) return offsets;
  await using log = await open(current, 'r+');
  const { size } = await log.stat();
  if (size <= before.size) return offsets;
  const tail = Buffer.alloc(size - before.size);
  await log.read(tail, 0, tail.length, before.size);
  const logged = measureLog(tail);
  if (logged.complete < tail.length) await log.truncate(before.size + logged.complete);
  return { stdout: offsets.stdout + logged.stdout, stderr: offsets.stderr + logged.stderr };
}

async function findByInode(path: string, inode: number): Promise<string | undefined> {
  const folder = dirname(path);
  const siblings = (await readdir(folder)).map((name) => join(folder, name));
  for (const candidate of [path, ...siblings]) {
    const found = await stat(candidate).catch(() => undefined);
    if (found?.ino === inode) return candidate;
  }
  return undefined;
}
