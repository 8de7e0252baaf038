import { createServer, connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { AgentPart } from '../../packages/edgemesh/test/nodes/agent-part.js';
import { parseWaysConfig } from '../../packages/edgemesh/src/ways-config.js';
import type { MeshService } from '../../packages/edgemesh/src/data/service-table.js';
import { answerQuestions } from './ask.js';

type Question =
  | { readonly do: 'serve'; readonly host: string; readonly port: number }
  | { readonly do: 'agent'; readonly services: readonly MeshService[] }
  | { readonly do: 'connections'; readonly host: string; readonly port: number; readonly milliseconds: number; readonly parallel: number }
  | { readonly do: 'bytes'; readonly host: string; readonly port: number; readonly bytes: number };

const CHUNK = Buffer.alloc(256 * 1024);

answerQuestions<Question>(async (question) => {
  switch (question.do) {
    case 'serve':
      await once(createServer({ noDelay: true }, serve).listen(question.port, question.host, 1024), 'listening');
      return undefined;
    case 'agent':
      await new AgentPart().start(parseWaysConfig({ intercept: 'nftables' }), question.services);
      return undefined;
    case 'connections':
      return connections(question);
    case 'bytes':
      return bytes(question);
  }
});

/** A byte is answered with one; eight of them say how many are wanted. */
function serve(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    if (data.length < 8) socket.write(data);
    else void send(socket, Number(data.readBigUInt64LE()));
  });
}

async function send(socket: Socket, size: number): Promise<void> {
  for (let sent = 0; sent < size; sent += CHUNK.length) if (!socket.write(CHUNK)) await once(socket, 'drain');
  socket.end();
}

/** Connections a second, each with one question and answer. */
async function connections({ host, port, milliseconds, parallel }: { host: string; port: number; milliseconds: number; parallel: number }): Promise<number> {
  const until = performance.now() + milliseconds;
  let done = 0;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      socket.on('connect', () => socket.write('x'));
      socket.on('data', () => socket.destroy());
      socket.on('close', (hadError) => (hadError ? undefined : resolve()));
      socket.on('error', reject);
    });
  const work = async (): Promise<void> => {
    while (performance.now() < until) {
      await one();
      done += 1;
    }
  };
  const since = performance.now();
  await Promise.all(Array.from({ length: parallel }, work));
  return done / ((performance.now() - since) / 1000);
}

/** Megabytes a second over one connection. */
async function bytes({ host, port, bytes: size }: { host: string; port: number; bytes: number }): Promise<number> {
  const socket = connect({ host, port });
  await once(socket, 'connect');
  const since = performance.now();
  const wanted = Buffer.alloc(8);
  wanted.writeBigUInt64LE(BigInt(size));
  socket.write(wanted);
  let read = 0;
  socket.on('data', (data) => (read += data.length));
  await once(socket, 'end');
  return read / 1e6 / ((performance.now() - since) / 1000);
}
