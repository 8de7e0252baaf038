import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '@edge/testing';
import { expect, it } from 'vitest';
import { PROXY_LIMITS } from '../src/proxy/limits.js';
import { UdpPort } from '../src/proxy/udp-port.js';
import { CarrierScene, local, service, tcp } from './carrier-scene.js';

const begin = (port: number): Socket => connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
async function client(port: number): Promise<Socket> {
  const socket = begin(port);
  await once(socket, 'connect');
  return socket;
}
const ask = async (port: number, question: string): Promise<string> => {
  const socket = await client(port);
  socket.end(question);
  return text(socket);
};
/** Answers when the question has ended. */
const says = (name: string) => tcp((socket) => {
  let question = '';
  socket.on('data', (data) => (question += data.toString()));
  socket.on('end', () => socket.end(`${name}: ${question}`));
});
const isClosed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.resume().on('end', () => socket.end()).once('close', resolve));

it('[edgemesh-43.1] connections go to endpoints in turn, and each side ends its half for itself', async () => {
  await using one = await says('one');
  await using two = await says('two');
  await using scene = new CarrierScene();
  const port = await scene.open(service('web', [local(one.port), local(two.port)]));
  // The answer begins when the question has ended: both halves stand for themselves.
  expect([await ask(port, 'a'), await ask(port, 'b'), await ask(port, 'c')]).toSatisfy((answers: string[]) => ['one: a,two: b,one: c', 'two: a,one: b,two: c'].includes(answers.join()));
  await expect.poll(() => scene.carrier.connections, { timeout: 20_000 }).toBe(0);
});

it('[edgemesh-43.2] an endpoint that refuses is passed over, and left out after it has refused again', async () => {
  await using one = await says('one');
  const dead = await freePort();
  await using scene = new CarrierScene();
  const port = await scene.open(service('web', [local(dead), local(one.port)]));
  for (let index = 0; index < 6; index += 1) expect(await ask(port, 'x')).toBe('one: x');
  expect(scene.said.filter((line) => line.includes(String(dead)))).toEqual([`endpoint 127.0.0.1:${dead} refuses connections and is left out for a while`]);
  // Time goes by, it is there again, and one trial is enough.
  const back = (await import('node:net')).createServer((socket) => socket.end('back')).listen(dead, '127.0.0.1');
  await once(back, 'listening');
  scene.nowMs += 10_000;
  const answers = [await ask(port, 'x'), await ask(port, 'x'), await ask(port, 'x')];
  expect(answers).toContain('back');
  back.close();
});

it('[edgemesh-43.3] without an endpoint the client is turned away at once; without room as well', async () => {
  await using one = await says('one');
  await using scene = new CarrierScene({ connections: 1 });
  const none = await scene.open(service('none', []));
  await isClosed(begin(none));
  const port = await scene.open(service('web', [local(one.port)]));
  await expect.poll(() => scene.carrier.connections, { timeout: 20_000 }).toBe(0);
  const first = await client(port);
  await expect.poll(() => scene.carrier.connections, { timeout: 20_000 }).toBe(1);
  await isClosed(begin(port));
  first.end('x');
  expect(await text(first)).toBe('one: x');
  expect(scene.said.join()).toContain('1 connections are carried already');
});

it('[edgemesh-43.4] a side that does not read makes the other wait: what is held stays small', async () => {
  const socket = { given: undefined as Socket | undefined };
  await using endless = await tcp((peer) => {
    socket.given = peer.pause().on('end', () => peer.end());
  });
  await using scene = new CarrierScene();
  const port = await scene.open(service('web', [local(endless.port)]));
  const writer = await client(port);
  await expect.poll(() => socket.given !== undefined, { timeout: 20_000 }).toBe(true);
  const chunk = Buffer.alloc(65_536);
  let sent = 0;
  const before = process.memoryUsage().rss;
  // Until the way is full: then no write is taken over any more.
  for (let quiet = 0; quiet < 5 && sent < 256 * 1024 * 1024; ) {
    if (writer.write(chunk)) {
      sent += chunk.length;
      quiet = 0;
    } else {
      const drained = await Promise.race([once(writer, 'drain').then(() => true), pause(100).then(() => false)]);
      quiet = drained ? 0 : quiet + 1;
    }
  }
  // What the kernel holds for four sockets, and no more.
  expect(sent).toBeLessThan(64 * 1024 * 1024);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  writer.destroy();
  socket.given?.resume();
  await expect.poll(() => scene.carrier.connections, { timeout: 20_000 }).toBe(0);
});

it('[edgemesh-43.5] a connection that breaks breaks on the other side too, and one on which nothing moves is closed', async () => {
  const peers: Socket[] = [];
  await using server = await tcp((peer) => void peers.push(peer));
  await using scene = new CarrierScene({ idleMs: 500 });
  const port = await scene.open(service('web', [local(server.port)]));
  const broken = await client(port);
  await expect.poll(() => peers.length, { timeout: 20_000 }).toBe(1);
  const outcome = isClosed(broken);
  peers[0]?.resetAndDestroy();
  // With an error: it did not just end.
  expect(await outcome).toBe(true);
  await isClosed(begin(port));
  await expect.poll(() => scene.carrier.connections, { timeout: 20_000 }).toBe(0);
});

it('[edgemesh-43.6] a source keeps its endpoint when the service asks for it, and open connections outlive their port', async () => {
  await using one = await says('one');
  await using two = await says('two');
  await using scene = new CarrierScene();
  const web = service('web', [local(one.port), local(two.port)], { sessionAffinitySeconds: 60 });
  const port = await scene.open(web);
  const answers = new Set<string>();
  for (let index = 0; index < 4; index += 1) answers.add(await ask(port, 'x'));
  expect(answers.size).toBe(1);
  const open = await client(port);
  await expect.poll(() => scene.carrier.connections, { timeout: 20_000 }).toBe(1);
  await scene.carrier.sync([]);
  open.end('late');
  expect(await text(open)).toContain('late');
  await expect(client(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

it('[edgemesh-44.1] datagrams: each client has its endpoint and its answers, a silent one is forgotten, and the one that was silent longest makes room', async () => {
  const echo = async (name: string) => {
    const socket = createSocket('udp4');
    socket.on('message', (data, from) => socket.send(`${name}: ${data.toString()}`, from.port, from.address));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return { port: socket.address().port, [Symbol.dispose]: () => void socket.close() };
  };
  using one = await echo('one');
  using two = await echo('two');
  await using scene = new CarrierScene({ udpSessions: 2, udpIdleMs: 1_000 });
  const port = await scene.open(service('names', [local(one.port), local(two.port)], {}, 'UDP'));
  const clients = await Promise.all([1, 2, 3].map(async () => {
    const socket = createSocket('udp4');
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }));
  const ask = async (index: number, question: string): Promise<string> => {
    const answer = once(clients[index] as never, 'message');
    clients[index]?.send(question);
    return String((await answer)[0]);
  };
  const [first, second] = [await ask(0, 'a'), await ask(1, 'b')];
  expect([first.slice(0, 3), second.slice(0, 3)].sort()).toEqual(['one', 'two']);
  expect(await ask(0, 'c')).toBe(`${first.slice(0, 3)}: c`);
  // The second makes room for the third; what it sends then begins anew.
  expect([await ask(2, 'd'), await ask(1, 'e')].join()).toMatch(/: d,.*: e/);
  for (const socket of clients) socket.close();
});

it('[edgemesh-44.3] a port that cannot be had leaves no open file behind, however often it is tried', async () => {
  const other = createSocket('udp4').bind(0, '127.0.0.1');
  await once(other, 'listening');
  const files = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
  const open = () => UdpPort.open({ limits: PROXY_LIMITS, backend: () => undefined, now: () => 0 }, '127.0.0.1', other.address().port);
  await expect(open()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  const before = await files();
  for (let turn = 0; turn < 50; turn += 1) await expect(open()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await expect.poll(files, { timeout: 20_000 }).toBeLessThan(before + 25);
  other.close();
});

it('[edgemesh-44.2] an endpoint that nobody listens on, or to which there is no way, is left out', async () => {
  const dead = await freePort();
  const socket = createSocket('udp4');
  socket.on('message', (data, from) => socket.send(data, from.port, from.address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  await using scene = new CarrierScene();
  const port = await scene.open(service('names', [local(dead), { ...local(dead), address: '255.255.255.255' }, local(socket.address().port)], {}, 'UDP'));
  let answered = 0;
  const clients = Array.from({ length: 8 }, () => createSocket('udp4').on('message', () => (answered += 1)));
  await expect.poll(() => {
    for (const client of clients) client.send('x', port, '127.0.0.1');
    return answered > 30 && scene.said.length > 1;
  }, { timeout: 60_000, interval: 50 }).toBe(true);
  for (const address of ['127.0.0.1', '255.255.255.255']) expect(scene.said.join('\n')).toContain(`${address}:${dead}`);
  for (const client of clients) client.close();
  socket.close();
});
