import { duplexPair, type Duplex } from 'node:stream';
import { constants, inflateRawSync } from 'node:zlib';
import { controlFrame, dataHead, FrameType } from '../src/streams/spdy-frames.js';
import { SpdyReader } from '../src/streams/spdy-reader.js';

const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n';

/** The node's end of a session: answers the upgrade and speaks SPDY as a container runtime. */
export class FakeNode {
  /** What the bridge gets. */
  readonly connection: Duplex;
  readonly #mine: Duplex;
  /** Number of each stream by its name. */
  readonly streams = new Map<string, number>();
  /** What came for each stream; `END` for its end. */
  readonly heard: Record<string, string> = {};
  closed = false;
  #blocks: Buffer[] = [];

  constructor() {
    [this.connection, this.#mine] = duplexPair();
    const reader = new SpdyReader({
      onControl: (type, _flags, payload) => {
        if (type === FrameType.synStream) this.#opened(payload);
      },
      onData: (stream, bytes, isLast) => {
        const name = [...this.streams].find(([, id]) => id === stream)?.[0] ?? String(stream);
        this.heard[name] = `${this.heard[name] ?? ''}${bytes.toString()}${isLast ? 'END' : ''}`;
      },
    });
    this.#mine.on('data', (bytes: Buffer) => reader.push(bytes));
    this.#mine.on('error', () => undefined);
    this.#mine.on('end', () => (this.closed = true));
    this.#mine.on('close', () => (this.closed = true));
    this.connection.on('close', () => (this.closed = true));
  }

  /** Takes the upgrade; `more` comes right behind the answer. */
  switchProtocols(more: Uint8Array = Buffer.alloc(0)): void {
    this.#mine.write(Buffer.concat([Buffer.from(SWITCHED), more]));
  }

  /** Writes as it is; false when the other side should be waited for. */
  raw(bytes: string | Uint8Array): boolean {
    return this.#mine.write(bytes);
  }

  say(stream: string, text: string | Uint8Array): boolean {
    const bytes = Buffer.from(text);
    return this.#mine.write(Buffer.concat([dataHead(this.streams.get(stream) ?? 99, bytes.length, false), bytes]));
  }

  /** As containerd 1.6 ends a command: the status, then GOAWAY. */
  finish(status: object = { metadata: {}, status: 'Success' }): void {
    this.say('error', JSON.stringify(status));
    this.#mine.write(controlFrame(FrameType.reset, 0, Buffer.from([0, 0, 0, 1, 0, 0, 0, 5])));
    this.#mine.write(controlFrame(FrameType.goAway, 0, Buffer.alloc(8)));
  }

  /** Reads no more. */
  hold(): void {
    this.#mine.pause();
  }

  end(): void {
    this.#mine.end();
  }

  get drained(): Promise<void> {
    return new Promise((resolve) => this.#mine.once('drain', resolve));
  }

  /** Headers of all streams are one compressed text. */
  #opened(payload: Buffer): void {
    this.#blocks.push(payload.subarray(this.#blocks.length === 0 ? 16 : 10));
    const text = inflateRawSync(Buffer.concat(this.#blocks), { finishFlush: constants.Z_SYNC_FLUSH }).toString('latin1');
    const name = /(error|stdin|stdout|stderr|resize)$/.exec(text)?.[1] ?? text;
    this.streams.set(name, payload.readUInt32BE(0));
  }
}
