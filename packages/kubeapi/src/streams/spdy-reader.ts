/** What a reader of SPDY frames tells. */
export interface SpdyEvents {
  /** A part of a stream's data, as it comes; empty with `isLast` when nothing came with the end. */
  readonly onData: (stream: number, bytes: Buffer, isLast: boolean) => void;
  readonly onControl: (type: number, flags: number, payload: Buffer) => void;
}

interface DataFrame {
  readonly stream: number;
  readonly isLast: boolean;
  left: number;
}

interface ControlFrame {
  readonly type: number;
  readonly flags: number;
  readonly length: number;
  payload: Buffer;
}

const HEAD_BYTES = 8;
/** Control frames of remote commands have a few dozen bytes. */
const LONGEST_CONTROL = 64 * 1024;

/**
 * Takes SPDY/3.1 frames out of bytes, however they are cut. States: in a head, in the data of a frame, in a control frame.
 * Data are passed on without being gathered.
 */
export class SpdyReader {
  readonly #events: SpdyEvents;
  #head = Buffer.alloc(0);
  #data: DataFrame | undefined;
  #control: ControlFrame | undefined;

  constructor(events: SpdyEvents) {
    this.#events = events;
  }

  /** @throws Error for what is not SPDY/3, or a control frame that is too long; nothing can be read after that */
  push(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      rest = this.#data ? this.#takeData(this.#data, rest) : this.#control ? this.#takeControl(this.#control, rest) : this.#takeHead(rest);
    }
  }

  #takeHead(bytes: Buffer): Buffer {
    const missing = HEAD_BYTES - this.#head.length;
    this.#head = Buffer.concat([this.#head, bytes.subarray(0, missing)]);
    if (this.#head.length < HEAD_BYTES) return Buffer.alloc(0);
    const head = this.#head;
    this.#head = Buffer.alloc(0);
    const flags = head.readUInt8(4);
    const length = head.readUIntBE(5, 3);
    if (head.readUInt8(0) < 0x80) this.#beginData(head.readUInt32BE(0), length, (flags & 1) === 1);
    else this.#beginControl(head, flags, length);
    return bytes.subarray(missing);
  }

  #beginData(stream: number, length: number, isLast: boolean): void {
    if (length > 0) this.#data = { stream, left: length, isLast };
    else this.#events.onData(stream, Buffer.alloc(0), isLast);
  }

  #beginControl(head: Buffer, flags: number, length: number): void {
    const version = head.readUInt16BE(0) & 0x7f_ff;
    if (version !== 3) throw new Error(`a frame of SPDY/${version} came, only SPDY/3.1 is spoken here`);
    if (length > LONGEST_CONTROL) throw new Error(`a control frame has ${length} bytes, ${LONGEST_CONTROL} are allowed`);
    const type = head.readUInt16BE(2);
    if (length === 0) this.#events.onControl(type, flags, Buffer.alloc(0));
    else this.#control = { type, flags, payload: Buffer.alloc(0), length };
  }

  #takeData(data: DataFrame, bytes: Buffer): Buffer {
    const part = bytes.subarray(0, data.left);
    data.left -= part.length;
    if (data.left === 0) this.#data = undefined;
    this.#events.onData(data.stream, part, data.left === 0 && data.isLast);
    return bytes.subarray(part.length);
  }

  #takeControl(control: ControlFrame, bytes: Buffer): Buffer {
    const part = bytes.subarray(0, control.length - control.payload.length);
    control.payload = Buffer.concat([control.payload, part]);
    if (control.payload.length === control.length) {
      this.#control = undefined;
      this.#events.onControl(control.type, control.flags, control.payload);
    }
    return bytes.subarray(part.length);
  }
}
