import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * What the path does.
 * `open` passes everything; `drop` loses packets, which TCP sends again, so that bytes come late when the path is back;
 * `stall` keeps connections open and lets nothing through, for ever; `one-way` lets only the client's bytes through;
 * `refuse` resets new connections and what was open; `garble` passes on broken bytes.
 */
export type RelayMode = 'open' | 'drop' | 'stall' | 'one-way' | 'refuse' | 'garble';

/** A path between a client and a server on the loopback that can be broken in the ways in which networks break. */
export interface Relay extends AsyncDisposable {
  readonly port: number;
  readonly mode: RelayMode;
  /** Bytes passed on so far, from the client and to it. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** Where new connections go. */
  target: number;
  /** Changes what the path does. Connections that lived through a `stall` stay dead, as behind a NAT that forgot them. */
  set(mode: RelayMode): void;
  /** Resets all connections of the moment. */
  reset(): void;
}

/** Starts a relay on a free port. */
export async function createRelay(target: number): Promise<Relay> {
  const relay = new TcpRelay(target);
  await relay.listen();
  return relay;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  stalled: boolean;
}

class TcpRelay implements Relay {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly bytes = { up: 0, down: 0 };
  target: number;
  #mode: RelayMode = 'open';

  constructor(target: number) {
    this.target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get mode(): RelayMode {
    return this.#mode;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  set(mode: RelayMode): void {
    this.#mode = mode;
    if (mode === 'refuse') this.reset();
    if (mode === 'stall') for (const pair of this.#pairs) pair.stalled = true;
    for (const { client, server } of this.#pairs) {
      for (const socket of [client, server]) {
        if (mode === 'drop') socket.pause();
        else socket.resume();
      }
    }
  }

  reset(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.#pairs.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    client.on('error', () => client.destroy());
    if (this.#mode === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.target, '127.0.0.1');
    const pair: Pair = { client, server, stalled: this.#mode === 'stall' };
    this.#pairs.add(pair);
    this.#pass(pair, client, server, 'up');
    this.#pass(pair, server, client, 'down');
    if (this.#mode === 'drop') for (const socket of [client, server]) socket.pause();
  }

  #pass(pair: Pair, from: Socket, to: Socket, way: 'up' | 'down'): void {
    from.on('data', (chunk: Buffer) => {
      if (pair.stalled || this.#mode === 'stall' || (this.#mode === 'one-way' && way === 'down')) return;
      this.bytes[way] += chunk.length;
      if (!to.write(this.#mode === 'garble' ? garbled(chunk, way === 'up' ? 1 : 2) : chunk)) from.pause();
    });
    to.on('drain', () => {
      if (this.#mode !== 'drop') from.resume();
    });
    from.on('error', () => from.destroy());
    from.on('close', () => {
      // Nobody on the other side of a stalled path learns that this one is gone.
      if (pair.stalled || this.#mode === 'stall') return;
      to.destroySoon();
      this.#pairs.delete(pair);
    });
  }
}

/** The chunk with one bit flipped: TLS must notice. */
function garbled(chunk: Buffer, bit: number): Buffer {
  const copy = Buffer.from(chunk);
  const middle = Math.floor(copy.length / 2);
  copy[middle] = (copy[middle] ?? 0) ^ bit;
  return copy;
}
