import { HpackError } from './hpack-error.js';
import { decodeHuffman } from './huffman.js';
import { STATIC_TABLE } from './static-table.js';

/** A header field. `secret` ones are never to be put into a table. Texts are bytes, one a character. */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
  readonly secret?: boolean;
}

/** What a table may hold, counted as RFC 7541 does, unless the peer was told otherwise. Nobody here tells it. */
const TABLE_BYTES = 4096;
const ENTRY_OVERHEAD = 32;
/** The most that a block may unfold to. */
const MOST_LIST_BYTES = 262_144;

/** Decodes the header blocks of one direction of a connection, in order. Source: RFC 7541. */
export class HpackDecoder {
  readonly #dynamic: HeaderField[] = [];
  #size = 0;
  #limit = TABLE_BYTES;

  /** @throws HpackError; the decoder is of no use after that */
  decode(block: Buffer): HeaderField[] {
    const fields: HeaderField[] = [];
    const reader = new Reader(block);
    let bytes = 0;
    while (!reader.done) {
      const first = reader.peek();
      if (first & 0x80) {
        fields.push(this.#entry(reader.integer(7)));
      } else if (first & 0x40) {
        const field = this.#literal(reader, 6);
        this.#add(field);
        fields.push(field);
      } else if (first & 0x20) {
        if (fields.length > 0) throw new HpackError('the size of the header table changes in the middle of a block');
        this.#limit = reader.integer(5);
        if (this.#limit > TABLE_BYTES) throw new HpackError(`a header table of ${this.#limit} bytes, more than ${TABLE_BYTES}`);
        this.#evict();
      } else {
        const secret = (first & 0x10) !== 0;
        fields.push({ ...this.#literal(reader, 4), ...(secret ? { secret } : {}) });
      }
      const last = fields.at(-1);
      bytes += last ? sizeOf(last) : 0;
      if (bytes > MOST_LIST_BYTES) throw new HpackError(`header fields of more than ${MOST_LIST_BYTES} bytes`);
    }
    return fields;
  }

  #literal(reader: Reader, prefix: number): HeaderField {
    const index = reader.integer(prefix);
    const name = index === 0 ? reader.text() : this.#entry(index).name;
    return { name, value: reader.text() };
  }

  #entry(index: number): HeaderField {
    const fixed = STATIC_TABLE[index - 1];
    if (fixed) return { name: fixed[0], value: fixed[1] };
    const field = this.#dynamic[index - 1 - STATIC_TABLE.length];
    if (!field) throw new HpackError(`no header field has the index ${index}`);
    return field;
  }

  #add(field: HeaderField): void {
    this.#dynamic.unshift(field);
    this.#size += sizeOf(field);
    this.#evict();
  }

  #evict(): void {
    while (this.#size > this.#limit) this.#size -= sizeOf(this.#dynamic.pop() as HeaderField);
  }
}

/** A header block that leaves no trace in the peer's table. */
export function encodeHeaders(fields: readonly HeaderField[]): Buffer {
  const parts = fields.flatMap(({ name, value, secret }) => [Buffer.from([secret ? 0x10 : 0x00]), ...textBytes(name), ...textBytes(value)]);
  return Buffer.concat(parts);
}

function textBytes(text: string): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  return [integerBytes(bytes.length, 7), bytes];
}

function integerBytes(value: number, prefix: number): Buffer {
  const most = 2 ** prefix - 1;
  if (value < most) return Buffer.from([value]);
  const bytes = [most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

function sizeOf({ name, value }: HeaderField): number {
  return name.length + value.length + ENTRY_OVERHEAD;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  peek(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new HpackError('a header block ends too early');
    return byte;
  }

  /** An integer whose first `prefix` bits are the last ones of this byte. */
  integer(prefix: number): number {
    const most = 2 ** prefix - 1;
    let value = this.#next() & most;
    if (value < most) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#next();
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) return value;
    }
    throw new HpackError('an integer in a header block is too big');
  }

  text(): string {
    const huffman = (this.peek() & 0x80) !== 0;
    const length = this.integer(7);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new HpackError('a header block ends in the middle of a text');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return (huffman ? decodeHuffman(bytes) : bytes).toString('latin1');
  }

  #next(): number {
    const byte = this.peek();
    this.#at += 1;
    return byte;
  }
}
