import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);
const NEWLINE = 0x0a;

/** A connection that is kept alive and asks one thing after the other, doing as little as a client can. */
export class RawHttp implements Disposable {
  readonly #socket: Socket;
  #head: Buffer = NOTHING;
  /** Bytes of the body still to come; undefined while the head is read. */
  #left: number | undefined;
  #answered: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  static async open(port: number): Promise<RawHttp> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RawHttp(socket);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  /** Resolves when the whole answer is there. */
  get(request: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket.write(request);
    });
  }

  #take(chunk: Buffer): void {
    let body = chunk;
    if (this.#left === undefined) {
      this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
      const end = this.#head.indexOf(HEAD_END);
      if (end < 0) return;
      const head = this.#head.toString('latin1', 0, end);
      const [, status, length] = /^HTTP\/1\.1 (\d+)[^]*?\r\ncontent-length: (\d+)/i.exec(head) ?? [];
      if (status !== '200' || length === undefined) throw new Error(`not the answer that was expected: ${head}`);
      this.#left = Number(length);
      body = this.#head.subarray(end + HEAD_END.length);
      this.#head = NOTHING;
    }
    this.#left -= body.length;
    if (this.#left > 0) return;
    this.#left = undefined;
    this.#answered();
  }
}

/** Bytes of a GET for `RawHttp`. */
export function requestOf(path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nUser-Agent: bench\r\n\r\n`);
}

/** A watch of which the events are counted and nothing else. Resolves when the head of the answer is there. */
export async function countEvents(port: number, path: string, onEvents: (count: number) => void): Promise<Disposable> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  socket.write(requestOf(path));
  const [head] = (await once(socket, 'data')) as [Buffer];
  const begin = head.indexOf(HEAD_END) + HEAD_END.length;
  const count = (chunk: Buffer): void => {
    let found = 0;
    // A line of JSON ends with a newline; those of the transfer encoding follow a carriage return.
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) if (at > 0 && chunk[at - 1] !== 0x0d) found += 1;
    if (found > 0) onEvents(found);
  };
  socket.on('data', count);
  count(head.subarray(begin));
  return { [Symbol.dispose]: () => void socket.destroy() };
}
