import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { encodeFrame, FrameTypes } from '@edge/protocol';
import { expect, it } from 'vitest';
import { scene, textOf } from './scene.js';

const PATH = '/containerLogs/default/p/c';

it('[edgestream-2.1] shows the node to the cloud as upstream does and passes a log on as it is', async () => {
  const asked: unknown[] = [];
  await using world = await scene({
    token: 'kubelet-token',
    serve: (request, response) => {
      asked.push([request.method, request.url, request.headers.authorization, request.headers['user-agent']]);
      response.end('one\ntwo\n');
    },
  });
  expect((await world.tunnel()).caller).toEqual({ nodeName: 'edge-go', internalIp: '192.0.2.2', commonName: 'system:node:edge-go' });
  const log = await world.open('logs', PATH, { query: 'tailLines=2', headers: { Authorization: ['Bearer of-the-cloud'], 'User-Agent': ['kubectl'] } });
  expect(await textOf(log)).toBe('one\ntwo\n');
  // The cloud's right ends at the cloud, the node's own token opens its kubelet API.
  expect(asked).toEqual([['GET', `${PATH}?tailLines=2`, 'Bearer kubelet-token', 'kubectl']]);
  expect(JSON.stringify(world.lines)).not.toContain('token');
});

it('[edgestream-2.2] follows many logs at once; each ends when the cloud lets it go, and the kubelet API is let go with it', async () => {
  await using world = await scene({ serve: (request, response) => void response.write(`${request.url}\n`) });
  const logs = await Promise.all(Array.from({ length: 20 }, (_, index) => world.open('logs', PATH, { query: `n=${index}` })));
  const first = await Promise.all(logs.map(async (log) => String((await once(log, 'data'))[0])));
  expect(first).toEqual(logs.map((_, index) => `${PATH}?n=${index}\n`));
  expect(world.kubeletSockets.size).toBe(20);
  for (const log of logs.slice(0, 19)) log.end();
  await expect.poll(() => world.kubeletSockets.size).toBe(1);
  expect((await world.tunnel()).tunnel.sessions).toBe(1);
});

it('[edgestream-2.3] says in place of a log or an answer why there is none', async () => {
  const error = { host: 5 };
  await using world = await scene({ endpoint: error });
  expect(await textOf(await world.open('logs', PATH))).toBe('edged did not say where its kubelet API is\n');
  expect(await textOf(await world.open('exec', '/exec/a/b/c', { method: 'POST' }))).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\n[^]*edged did not say/);
  await using closed = await scene({ endpoint: { host: '127.0.0.1', port: 1 } });
  expect(await textOf(await closed.open('logs', PATH))).toMatch(/does not answer: .*ECONNREFUSED/);
  expect(await textOf(await closed.open('exec', '/exec/a/b/c', { method: 'POST' }))).toMatch(/^HTTP\/1.1 502 [^]*ECONNREFUSED/);
});

it('[edgestream-2.4] asks for measurements without compression', async () => {
  await using world = await scene({ serve: (request, response) => response.end(String(request.headers['accept-encoding'])) });
  expect(await textOf(await world.open('metrics', '/metrics/resource', { headers: { 'Accept-Encoding': ['gzip'] } }))).toBe('identity');
});

it('[edgestream-2.7] reads logs and measurements whatever method is named', async () => {
  await using world = await scene({ serve: (request, response) => response.end(String(request.method)) });
  for (const method of ['CONNECT', 'HEAD', 'POST']) expect(await textOf(await world.open('logs', PATH, { method }))).toBe('GET');
});

it('[edgestream-2.5] passes the bytes of an upgraded connection both ways, whatever they are', async () => {
  await using world = await scene();
  world.kubelet.on('upgrade', (_request, socket: Socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
    socket.pipe(socket);
  });
  const session = await world.open('exec', '/exec/default/p/c', { method: 'POST', query: 'command=cat', headers: { Connection: ['Upgrade'], Upgrade: ['SPDY/3.1'] } });
  const [head] = await once(session, 'data');
  expect(String(head)).toBe('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
  const sent = randomBytes(5 * 1024 * 1024);
  const back: Buffer[] = [];
  let size = 0;
  session.on('data', (bytes: Buffer) => {
    back.push(bytes);
    size += bytes.length;
  });
  session.write(sent);
  await expect.poll(() => size).toBe(sent.length);
  expect(Buffer.concat(back).equals(sent)).toBe(true);
  session.destroy();
  await expect.poll(() => world.kubeletSockets.size).toBe(0);
});

it('[edgestream-2.6] lets go of the kubelet API when the tunnel is cut in the middle, and serves again when it is back', async () => {
  await using world = await scene({ serve: (_request, response) => void response.write('x') });
  world.kubelet.on('upgrade', (_request, socket: Socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    socket.resume().once('end', () => socket.end());
  });
  const log = await world.open('logs', PATH);
  const exec = await world.open('exec', '/exec/a/b/c', { method: 'POST', headers: { Connection: ['Upgrade'], Upgrade: ['SPDY/3.1'] } });
  await Promise.all([once(log, 'data'), once(exec, 'data')]);
  expect(world.kubeletSockets.size).toBe(2);
  await world.cloudAway();
  await expect.poll(() => world.kubeletSockets.size).toBe(0);
  await world.cloudBack();
  expect(String((await once(await world.open('logs', PATH), 'data'))[0])).toBe('x');
  expect(world.tunnels).toHaveLength(2);
});

it('[edgestream-2.8] takes unknown frames, frames for nobody, ends said twice, empty ones and a whole MiB; ended by the cloud, it dials again', async () => {
  await using world = await scene();
  world.kubelet.on('upgrade', (_request, socket: Socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    socket.pipe(socket);
  });
  const { wire, tunnel } = await world.tunnel();
  const raw = (id: number, type: number, bytes: Uint8Array = new Uint8Array()): Promise<void> =>
    new Promise((resolve, reject) => wire.send(encodeFrame(id, type, bytes), (error) => (error ? reject(error) : resolve())));
  const session = await world.open('exec', '/exec/a/b/c', { method: 'POST', headers: { Connection: ['Upgrade'], Upgrade: ['SPDY/3.1'] } });
  await once(session, 'data');
  const gone = await world.open('exec', '/exec/a/b/c', { method: 'POST', headers: { Connection: ['Upgrade'], Upgrade: ['SPDY/3.1'] } });
  await once(gone, 'data');
  for (const id of [gone.id, gone.id, 77, 77]) await raw(id, FrameTypes.removeConnect);
  await raw(gone.id, FrameTypes.data, Buffer.from('late'));
  await raw(78, FrameTypes.data, Buffer.from('for nobody'));
  for (const type of [9, 100]) await raw(session.id, type, Buffer.from('what is this'));
  await raw(session.id, FrameTypes.data);
  const whole = randomBytes(1024 * 1024);
  await raw(session.id, FrameTypes.data, whole);
  const back: Buffer[] = [];
  session.on('data', (part: Buffer) => back.push(part));
  await expect.poll(() => back.reduce((sum, { length }) => sum + length, 0)).toBe(whole.length);
  expect(Buffer.concat(back).equals(whole)).toBe(true);
  expect(world.tunnels).toHaveLength(1);

  await raw(0, FrameTypes.closeConnect, Buffer.from('failed to Update KubeletEndpoint Port'));
  expect(await tunnel.ended).toContain('closed');
  await expect.poll(() => world.kubeletSockets.size).toBe(0);
  expect((await world.tunnel()).tunnel.over).toBe(false);
  expect(world.tunnels).toHaveLength(2);
  expect(world.lines.find(({ message }) => message === 'the tunnel has ended')?.fields['reason']).toBe('the cloud ends the tunnel: failed to Update KubeletEndpoint Port');
});

it('[edgestream-3.1] opens the tunnel anew with a renewed certificate, once nobody is in the middle of something', async () => {
  await using world = await scene({ serve: (_request, response) => void response.write('x') });
  const log = await world.open('logs', PATH);
  await once(log, 'data');
  await world.renew();
  await new Promise((resolve) => setImmediate(resolve));
  expect(world.tunnels).toHaveLength(1);
  log.end();
  await expect.poll(() => world.tunnels.length).toBe(2);
  expect(world.tunnels[1]?.certificate).not.toBe(world.tunnels[0]?.certificate);
});
