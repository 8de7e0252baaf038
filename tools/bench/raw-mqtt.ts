import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A message that a broker has delivered. The payload shares memory with what comes next: copy what is to stay. */
export type OnMessage = (payload: Buffer, topic: string) => void;

const KIND = { connect: 0x10, puback: 0x40, publish: 0x30, subscribe: 0x82 } as const;
const NO_MESSAGE = Buffer.alloc(0);

/**
 * An MQTT 3.1.1 client that does as little as a client can, so that a benchmark measures the broker: frames are written
 * together, messages of QoS 1 are acknowledged, and nothing is kept, checked or repeated.
 */
export class RawMqtt implements Disposable {
  readonly #socket: Socket;
  readonly #onMessage: OnMessage;
  readonly #onAck: () => void;
  readonly #answers: ((ok: boolean) => void)[] = [];
  #rest: Buffer = NO_MESSAGE;
  #out: Buffer[] = [];
  #packetId = 0;

  private constructor(socket: Socket, onMessage: OnMessage, onAck: () => void) {
    this.#socket = socket;
    this.#onMessage = onMessage;
    this.#onAck = onAck;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** @param onAck called for each PUBACK */
  static async open(port: number, id: string, onMessage: OnMessage = () => undefined, onAck: () => void = () => undefined): Promise<RawMqtt> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const client = new RawMqtt(socket, onMessage, onAck);
    // Clean session, no keep-alive.
    await client.#ask(frame(KIND.connect, [text('MQTT'), Buffer.from([4, 2, 0, 0]), text(id)]));
    return client;
  }

  async subscribe(filter: string, qos: 0 | 1): Promise<void> {
    await this.#ask(frame(KIND.subscribe, [this.#nextId(), text(filter), Buffer.from([qos])]));
  }

  /** Sent with the others of this turn of the event loop. */
  publish(topic: string, payload: Buffer, qos: 0 | 1): void {
    if (this.#out.length === 0) setImmediate(() => this.#flush());
    this.#out.push(frame(KIND.publish | (qos << 1), [text(topic), ...(qos === 0 ? [] : [this.#nextId()]), payload]));
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #flush(): void {
    this.#socket.write(Buffer.concat(this.#out));
    this.#out = [];
  }

  async #ask(question: Buffer): Promise<void> {
    const answered = new Promise<boolean>((resolve) => this.#answers.push(resolve));
    this.#socket.write(question);
    if (!(await answered)) throw new Error('the broker refuses');
  }

  #nextId(): Buffer {
    this.#packetId = (this.#packetId % 0xffff) + 1;
    return Buffer.from([this.#packetId >> 8, this.#packetId & 0xff]);
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const acks: Buffer[] = [];
    let at = 0;
    while (bytes.length - at >= 2) {
      let length = 0;
      let head = at + 1;
      let digit = 0x80;
      for (let shift = 0; digit >= 0x80 && head < bytes.length; shift += 7) {
        digit = bytes[head] as number;
        head += 1;
        length |= (digit & 0x7f) << shift;
      }
      if (digit >= 0x80 || head + length > bytes.length) break;
      this.#packet(bytes[at] as number, bytes.subarray(head, head + length), acks);
      at = head + length;
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : NO_MESSAGE;
    if (acks.length > 0) this.#socket.write(Buffer.concat(acks));
  }

  #packet(head: number, body: Buffer, acks: Buffer[]): void {
    const kind = head & 0xf0;
    if (kind === KIND.publish) {
      const topicEnd = 2 + body.readUInt16BE(0);
      const withId = (head & 0x06) !== 0;
      if (withId) acks.push(Buffer.from([KIND.puback, 2, body[topicEnd] as number, body[topicEnd + 1] as number]));
      this.#onMessage(body.subarray(topicEnd + (withId ? 2 : 0)), body.toString('latin1', 2, topicEnd));
    } else if (kind === KIND.puback) {
      this.#onAck();
    } else {
      // CONNACK ends with its code, SUBACK with the granted QoS, 128 for a refusal.
      this.#answers.shift()?.(kind === 0x20 ? body[1] === 0 : (body.at(-1) as number) < 0x80);
    }
  }
}

function text(words: string): Buffer {
  const bytes = Buffer.from(words);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function frame(head: number, parts: readonly Buffer[]): Buffer {
  const size: number[] = [];
  let length = parts.reduce((sum, part) => sum + part.length, 0);
  do {
    size.push((length % 128) + (length > 127 ? 128 : 0));
    length = Math.floor(length / 128);
  } while (length > 0);
  return Buffer.concat([Buffer.from([head, ...size]), ...parts]);
}
