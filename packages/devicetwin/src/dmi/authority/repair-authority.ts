import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { HeaderRewriter } from './frames.js';
import type { HeaderField } from './hpack.js';

/** What Node.js takes for an authority. */
const VALID = /^[\w.~%!$&'()*+,;=:@[\]-]+$/;
const LOCAL = 'localhost';

/**
 * The connection as it comes, but with every `:authority` one that Node.js takes. Mappers built with grpc-go from before
 * mid-2023 send the raw path of the socket, upon which Node.js resets each call before anybody can answer it.
 */
export function repairAuthority(socket: Socket): Duplex {
  return new RepairedConnection(socket);
}

function repaired(fields: readonly HeaderField[]): readonly HeaderField[] {
  return fields.map((field) => (field.name === ':authority' && !VALID.test(field.value) ? { ...field, value: LOCAL } : field));
}

class RepairedConnection extends Duplex {
  readonly #socket: Socket;
  readonly #rewriter = new HeaderRewriter(repaired);

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', () => this.destroy());
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, done);
  }

  /** All that is ready in one system call. */
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.write(chunks.length === 1 ? (chunks[0] as { chunk: Buffer }).chunk : Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    try {
      const ready = this.#rewriter.push(chunk);
      if (ready.length > 0 && !this.push(ready)) this.#socket.pause();
    } catch {
      // Not HTTP/2: there is no way to tell the client in its own words.
      this.#socket.destroy();
      this.destroy();
    }
  }
}
