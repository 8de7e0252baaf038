import { HpackError } from './hpack-error.js';
import { encodeHeaders, HpackDecoder, type HeaderField } from './hpack.js';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const FRAME_HEADER_BYTES = 9;
const HEADERS = 0x1;
const CONTINUATION = 0x9;
const END_HEADERS = 0x4;
const PADDED = 0x8;
const PRIORITY = 0x20;
const PRIORITY_BYTES = 5;
/** The biggest frame that a peer takes unless it says otherwise. */
const MOST_FRAME_BYTES = 16_384;
/** The biggest header block that is taken. */
const MOST_BLOCK_BYTES = 65_536;

type Rewrite = (fields: readonly HeaderField[]) => readonly HeaderField[];

interface Block {
  readonly stream: number;
  /** Flags of the first frame but for those that tell of its form. */
  readonly flags: number;
  readonly priority: Buffer;
  readonly parts: Buffer[];
  bytes: number;
}

/**
 * Passes on what an HTTP/2 client sends, with the header fields rewritten; everything else goes through as it came.
 * Source: RFC 9113, sections 3.4, 4 and 6.
 */
export class HeaderRewriter {
  readonly #decoder = new HpackDecoder();
  readonly #rewrite: Rewrite;
  #pending: Buffer = Buffer.alloc(0);
  #preface = true;
  /** Bytes of a frame that goes through and has not wholly come yet. */
  #through = 0;
  #block: Block | undefined;

  constructor(rewrite: Rewrite) {
    this.#rewrite = rewrite;
  }

  /** What to pass on, now that these bytes have come. @throws HpackError when they are not HTTP/2 */
  push(chunk: Buffer): Buffer {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const out: Buffer[] = [];
    for (let step = this.#next(); step; step = this.#next()) out.push(step);
    return out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out);
  }

  /** The next piece that is ready to go; undefined when more bytes have to come first. */
  #next(): Buffer | undefined {
    if (this.#preface) return this.#takePreface();
    if (this.#through > 0) return this.#pass();
    if (this.#pending.length < FRAME_HEADER_BYTES) return undefined;
    const length = this.#pending.readUIntBE(0, 3);
    const type = this.#pending[3] as number;
    if (type !== HEADERS && type !== CONTINUATION) {
      if (this.#block) throw new HpackError(`a frame of type ${type} in the middle of a header block`);
      this.#through = FRAME_HEADER_BYTES + length;
      return this.#pass();
    }
    if (length > MOST_FRAME_BYTES) throw new HpackError(`a header frame of ${length} bytes`);
    if (this.#pending.length < FRAME_HEADER_BYTES + length) return undefined;
    const flags = this.#pending[4] as number;
    const stream = this.#pending.readUInt32BE(5) & 0x7fffffff;
    const payload = this.#take(FRAME_HEADER_BYTES + length).subarray(FRAME_HEADER_BYTES);
    if (type === HEADERS) this.#begin(stream, flags, payload);
    else this.#continue(stream, payload);
    return flags & END_HEADERS ? this.#end() : Buffer.alloc(0);
  }

  #takePreface(): Buffer | undefined {
    const come = Math.min(this.#pending.length, PREFACE.length);
    if (!this.#pending.subarray(0, come).equals(PREFACE.subarray(0, come))) throw new HpackError('a client does not speak HTTP/2');
    if (come < PREFACE.length) return undefined;
    this.#preface = false;
    return this.#take(PREFACE.length);
  }

  #pass(): Buffer | undefined {
    if (this.#pending.length === 0) return undefined;
    const piece = this.#take(Math.min(this.#through, this.#pending.length));
    this.#through -= piece.length;
    return piece;
  }

  #begin(stream: number, flags: number, payload: Buffer): void {
    if (this.#block) throw new HpackError('a header block begins in the middle of another');
    const before = flags & PADDED ? 1 : 0;
    const padding = flags & PADDED ? payload[0] ?? 0 : 0;
    const priority = payload.subarray(before, before + (flags & PRIORITY ? PRIORITY_BYTES : 0));
    const start = before + priority.length;
    if (start + padding > payload.length) throw new HpackError('a header frame is shorter than its padding');
    const part = payload.subarray(start, payload.length - padding);
    this.#block = { stream, flags: flags & ~(END_HEADERS | PADDED), priority, parts: [part], bytes: part.length };
  }

  #continue(stream: number, payload: Buffer): void {
    const block = this.#block;
    if (!block || block.stream !== stream) throw new HpackError('a header block goes on that has not begun');
    block.parts.push(payload);
    block.bytes += payload.length;
    if (block.bytes > MOST_BLOCK_BYTES || block.parts.length > MOST_BLOCK_BYTES / 64) throw new HpackError(`a header block of more than ${MOST_BLOCK_BYTES} bytes`);
  }

  #end(): Buffer {
    const { stream, flags, priority, parts } = this.#block as Block;
    this.#block = undefined;
    const block = Buffer.concat([priority, encodeHeaders(this.#rewrite(this.#decoder.decode(Buffer.concat(parts))))]);
    const frames: Buffer[] = [];
    for (let at = 0; at === 0 || at < block.length; at += MOST_FRAME_BYTES) {
      const payload = block.subarray(at, at + MOST_FRAME_BYTES);
      const last = at + MOST_FRAME_BYTES >= block.length ? END_HEADERS : 0;
      frames.push(frameHeader(payload.length, at === 0 ? HEADERS : CONTINUATION, (at === 0 ? flags : 0) | last, stream), payload);
    }
    return Buffer.concat(frames);
  }

  #take(length: number): Buffer {
    const taken = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return taken;
  }
}

function frameHeader(length: number, type: number, flags: number, stream: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUIntBE(length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return header;
}
