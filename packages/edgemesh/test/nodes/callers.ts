import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { get } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Client as GrpcClient, credentials } from '@grpc/grpc-js';
import { WebSocket } from 'ws';
import { METHOD } from './servers.js';

interface To {
  readonly host: string;
  readonly port: number;
}

const inUrl = ({ host, port }: To): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Calls to services, and connections that stay open. */
export class Callers {
  readonly #open = new Map<number, Socket>();
  #count = 0;

  readonly answers: Readonly<Record<string, (question: never) => unknown>> = {
    /** One connection, one question. */
    tcp: async ({ host, port, patienceMs }: To & { patienceMs?: number }) => {
      const socket = await begin({ host, port }, patienceMs);
      socket.write('x');
      const [data] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return data.toString();
    },
    open: async (to: To) => {
      const socket = await begin(to);
      this.#open.set((this.#count += 1), socket);
      return this.#count;
    },
    say: async ({ of, words }: { of: number; words: string }) => {
      const socket = this.#open.get(of) as Socket;
      socket.write(words);
      return String((await once(socket, 'data'))[0]);
    },
    /** What a server of names says about one. */
    resolve: async ({ name, server, type = 'A' }: { name: string; server: string; type?: 'A' | 'AAAA' | 'PTR' }) => {
      const resolver = new Resolver({ timeout: 5000, tries: 4 });
      resolver.setServers([server]);
      return resolver.resolve(name, type);
    },
    udp: async ({ host, port, from = 0 }: To & { from?: number }) => {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      try {
        if (from !== 0) await new Promise<void>((resolve) => socket.bind(from, resolve));
        const answer = once(socket, 'message', { signal: AbortSignal.timeout(20_000) }) as Promise<[Buffer]>;
        socket.send('x', port, host);
        return (await answer)[0].toString();
      } finally {
        socket.close();
      }
    },
    http: ({ path = '/', name = 'web', ...to }: To & { path?: string; name?: string }) =>
      new Promise((resolve, reject) => {
        get({ host: to.host, port: to.port, path, headers: { Host: name }, agent: false }, (answer) => text(answer).then(resolve, reject)).on('error', reject);
      }),
    websocket: async (to: To) => {
      const socket = new WebSocket(`ws://${inUrl(to)}/ws`);
      await once(socket, 'open');
      socket.send('hello');
      const [data] = (await once(socket, 'message')) as [Buffer];
      socket.close();
      return data.toString();
    },
    http2: async (to: To) => {
      const session = connectHttp2(`http://${inUrl(to)}`);
      const answer = await text(session.request({ ':path': '/two' }));
      session.close();
      return answer;
    },
    grpc: (to: To) =>
      new Promise((resolve, reject) => {
        const client = new GrpcClient(inUrl(to), credentials.createInsecure());
        client.makeUnaryRequest(METHOD.path, METHOD.requestSerialize, METHOD.responseDeserialize, Buffer.from('hello'), (error: Error | null, answer?: Buffer) => {
          client.close();
          if (error) reject(error);
          else resolve(answer?.toString());
        });
      }),
    /** Many at once, which stay open. @returns how many answered */
    crowd: async ({ host, port, count }: To & { count: number }) => {
      let answered = 0;
      const one = async (): Promise<void> => {
        const socket = await begin({ host, port });
        this.#open.set((this.#count += 1), socket);
        socket.write('x');
        await once(socket, 'data');
        answered += 1;
      };
      for (let done = 0; done < count; done += 500) await Promise.allSettled(Array.from({ length: Math.min(500, count - done) }, one));
      return answered;
    },
    /** All that are open say something and hear the answer. */
    crowdSays: async () => {
      const said = await Promise.allSettled([...this.#open.values()].map(async (socket) => {
        socket.write('y');
        await once(socket, 'data', { signal: AbortSignal.timeout(60_000) });
      }));
      return said.filter(({ status }) => status === 'fulfilled').length;
    },
    leave: () => {
      for (const socket of this.#open.values()) socket.destroy();
      this.#open.clear();
    },
  };
}

async function begin(to: To, patienceMs = 20_000): Promise<Socket> {
  const socket = connect(to);
  // One that nobody waits for any more may still fail.
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(patienceMs) });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}
