import type { Duplex } from 'node:stream';
import { controlFrame, dataHead, FrameType, synStream } from './spdy-frames.js';
import { SpdyReader } from './spdy-reader.js';

export interface SpdyClientDeps {
  /** A connection after its upgrade. */
  readonly connection: Duplex;
  readonly onData: (stream: number, bytes: Buffer, isLast: boolean) => void;
  /** The other side refuses a stream, or has done with it. */
  readonly onReset: (stream: number) => void;
  /** No more comes: the other side has said so, or the connection is over, with an error when it broke. Once. */
  readonly onEnd: (error?: Error) => void;
}

/** Longest data frame that is written; others get a turn in between. */
const CHUNK = 64 * 1024;

/**
 * The client's end of a SPDY/3.1 connection: opens streams, writes to them and says what comes. As the servers of container runtimes
 * and their other clients it does without windows; who reads slowly pauses the connection.
 */
export class SpdyClient {
  readonly #deps: SpdyClientDeps;
  #lastStream = -1;
  #ended = false;

  constructor(deps: SpdyClientDeps) {
    this.#deps = deps;
    const reader = new SpdyReader({ onData: deps.onData, onControl: (type, _flags, payload) => this.#control(type, payload) });
    const { connection } = deps;
    connection.on('data', (bytes: Buffer) => {
      if (this.#ended) return;
      try {
        reader.push(bytes);
      } catch (error) {
        this.#end(error as Error);
      }
    });
    connection.once('end', () => this.#end());
    connection.on('error', (error: Error) => this.#end(error));
    connection.once('close', () => this.#end());
  }

  /** Opens a stream and gives its number; nobody waits for the answer. */
  open(headers: Readonly<Record<string, string>>): number {
    const isFirst = this.#lastStream < 0;
    this.#lastStream += 2;
    this.#deps.connection.write(synStream(this.#lastStream, headers, isFirst));
    return this.#lastStream;
  }

  /** @returns false when the connection takes no more for now; it emits `drain` then */
  write(stream: number, bytes: Buffer): boolean {
    let goesOn = true;
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const part = bytes.subarray(at, at + CHUNK);
      goesOn = this.#deps.connection.write(Buffer.concat([dataHead(stream, part.length, false), part]));
    }
    return goesOn;
  }

  /** Ends a stream in this direction. */
  endStream(stream: number): void {
    this.#deps.connection.write(dataHead(stream, 0, true));
  }

  #control(type: number, payload: Buffer): void {
    if (type === FrameType.ping && payload.length >= 4) {
      // Its own pings, which come back, have odd numbers; it sends none.
      if (payload.readUInt32BE(0) % 2 === 0) this.#deps.connection.write(controlFrame(FrameType.ping, 0, payload.subarray(0, 4)));
    } else if (type === FrameType.reset && payload.length >= 4) this.#deps.onReset(payload.readUInt32BE(0) & 0x7f_ff_ff_ff);
    else if (type === FrameType.goAway) this.#end();
  }

  #end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#deps.onEnd(error);
  }
}
