import { parseLogLine, stampOf } from './cri-line.js';

export interface LogTextOptions {
  /** Only what was written at or after this time, milliseconds since the epoch. */
  readonly sinceTime?: number;
  /** Only what was written in the last seconds; `sinceTime` counts before it. */
  readonly sinceSeconds?: number;
  /** No more than this many bytes. */
  readonly limitBytes?: number;
  /** Begins each line with the time at which it was written. */
  readonly timestamps?: boolean;
  /** Only what was written to this one. */
  readonly stream?: 'stdout' | 'stderr';
}

const NEWLINE = 0x0a;
/** No runtime writes lines of this length; a damaged file may hold one and must not fill the memory. */
const LINE_LIMIT = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** Turns the bytes of a log file, chunk by chunk, into the bytes that the container wrote. */
export class LogText {
  readonly #since: number | undefined;
  readonly #timestamps: boolean;
  readonly #stream: 'stdout' | 'stderr' | undefined;
  #left: number;
  #torn: Buffer = NOTHING;
  #atLineStart = true;

  constructor(options: LogTextOptions) {
    const { sinceSeconds } = options;
    this.#since = options.sinceTime ?? (sinceSeconds === undefined ? undefined : Date.now() - sinceSeconds * 1000);
    this.#timestamps = options.timestamps ?? false;
    this.#stream = options.stream;
    this.#left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  /** True when the limit is reached. */
  get full(): boolean {
    return this.#left <= 0;
  }

  /** The text of all lines that are complete with this chunk. The result does not share the chunk's memory. */
  take(chunk: Buffer): Buffer {
    const bytes = this.#torn.length === 0 ? chunk : Buffer.concat([this.#torn, chunk]);
    const text = Buffer.allocUnsafe(bytes.length);
    let length = 0;
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      length = this.#line(bytes, at, end + 1, text, length);
      at = end + 1;
    }
    this.#torn = bytes.length - at > LINE_LIMIT ? NOTHING : Buffer.from(bytes.subarray(at));
    return this.#limited(text.subarray(0, length));
  }

  /** The text of a last line that has no end. */
  rest(): Buffer {
    const bytes = this.#torn;
    this.#torn = NOTHING;
    const text = Buffer.allocUnsafe(bytes.length);
    return this.#limited(text.subarray(0, bytes.length === 0 ? 0 : this.#line(bytes, 0, bytes.length, text, 0)));
  }

  /** The next chunk comes from another file: a line torn at the end of the old one stays so. */
  newFile(): void {
    this.#torn = NOTHING;
  }

  /** Writes what there is of a line to show, which is never longer than the line, behind `length` bytes; returns the new length. */
  #line(bytes: Buffer, from: number, to: number, text: Buffer, length: number): number {
    const line = parseLogLine(bytes, from, to);
    if (!line || (this.#stream !== undefined && line.stream !== this.#stream)) return length;
    if (this.#since !== undefined && Date.parse(stampOf(bytes, from, line)) < this.#since) return length;
    let end = length;
    // With the space behind it.
    if (this.#timestamps && this.#atLineStart) end += bytes.copy(text, end, from, line.stampEnd + 1);
    const complete = bytes[to - 1] === NEWLINE;
    end += bytes.copy(text, end, line.textAt, line.partial && complete ? to - 1 : to);
    this.#atLineStart = !line.partial;
    return end;
  }

  #limited(text: Buffer): Buffer {
    const some = text.length > this.#left ? text.subarray(0, this.#left) : text;
    this.#left -= some.length;
    return some;
  }
}
