import { parseLogLine } from './cri-line.js';

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
    const pieces: Buffer[] = [];
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      this.#line(bytes, at, end + 1, pieces);
      at = end + 1;
    }
    this.#torn = bytes.length - at > LINE_LIMIT ? NOTHING : Buffer.from(bytes.subarray(at));
    return this.#limited(Buffer.concat(pieces));
  }

  /** The text of a last line that has no end. */
  rest(): Buffer {
    const pieces: Buffer[] = [];
    if (this.#torn.length > 0) this.#line(this.#torn, 0, this.#torn.length, pieces);
    this.#torn = NOTHING;
    return this.#limited(Buffer.concat(pieces));
  }

  /** The next chunk comes from another file: a line torn at the end of the old one stays so. */
  newFile(): void {
    this.#torn = NOTHING;
  }

  #line(bytes: Buffer, from: number, to: number, pieces: Buffer[]): void {
    const line = parseLogLine(bytes, from, to);
    if (!line || (this.#stream !== undefined && line.stream !== this.#stream)) return;
    if (this.#since !== undefined && Date.parse(line.stamp) < this.#since) return;
    if (this.#timestamps && this.#atLineStart) pieces.push(Buffer.from(`${line.stamp} `, 'latin1'));
    const complete = bytes[to - 1] === NEWLINE;
    pieces.push(bytes.subarray(line.textAt, line.partial && complete ? to - 1 : to));
    this.#atLineStart = !line.partial;
  }

  #limited(text: Buffer): Buffer {
    const some = text.length > this.#left ? text.subarray(0, this.#left) : text;
    this.#left -= some.length;
    return some;
  }
}
