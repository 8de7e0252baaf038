import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { loops } from '@edge/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask, asks } from './support/program.js';
import { isUpload, request, startScene, type Scene } from './support/scene.js';
import { startService } from './support/service.js';

const URL_A = 'http://cloud/echo';
let scene: Scene;
beforeAll(async () => {
  scene = await startScene({ hub: (message) => (isUpload(message) ? 'fine' : 'OK'), own: { requestsPerSecond: 100_000, callTimeoutSeconds: 2 } });
  await scene.tell('start', URL_A);
});
afterAll(() => scene[Symbol.asyncDispose]());

/** Deterministic, so that what fails once fails again. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

/** Bytes of an HTTP message with some of them changed, left out or doubled. */
function garbled(text: string, roll: (below: number) => number): Buffer {
  const bytes = [...Buffer.from(text, 'latin1')];
  for (let changes = 1 + roll(8); changes > 0; changes -= 1) {
    const at = roll(bytes.length);
    const kind = roll(3);
    if (kind === 0) bytes[at] = roll(256);
    else if (kind === 1) bytes.splice(at, 1 + roll(20));
    else bytes.splice(at, 0, ...bytes.slice(at, at + roll(40)));
    if (bytes.length === 0) bytes.push(0);
  }
  return Buffer.from(bytes);
}

const stillServes = (): Promise<void> => expect.poll(() => ask(scene.port, { body: asks(URL_A) }).then(({ json }) => json, () => undefined), { timeout: 60_000 }).toMatchObject({ code: 200, body: 'fine' });

it('[servicebus-4.1] any bytes at the server for programs end their own connection at most', { timeout: 300_000 }, async () => {
  await stillServes();
  const roll = dice(7);
  const body = asks(URL_A);
  const whole = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const chunked = `POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  for (let turn = 0; turn < loops(5000, 300); turn += 1) {
    const socket = connect(scene.port, '127.0.0.1').on('error', () => undefined).resume();
    const closed = once(socket, 'close');
    socket.end(garbled(turn % 2 === 0 ? whole : chunked, roll));
    await closed;
  }
  await stillServes();
});

it('[servicebus-4.2] whatever a service answers, the call is answered and the next one too', { timeout: 300_000 }, async () => {
  const roll = dice(11);
  const answer = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nLocation: /x\r\nX-A: 1\r\n\r\nhello';
  const server = createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.end(garbled(answer, roll)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (let turn = 0; turn < loops(3000, 150); turn += 1) {
    const { status } = await scene.call(`${port}:/${turn}`, request('POST', 'x'));
    expect(status).toBeGreaterThan(99);
  }
  server.close();
  await using fine = await startService();
  expect(await scene.call(`${fine.port}:/`, request('GET'))).toMatchObject({ status: 200, text: 'ok' });
});

it('[servicebus-4.3] any content of a call is answered', { timeout: 300_000 }, async () => {
  await using fine = await startService();
  const roll = dice(13);
  const values: unknown[] = [null, true, 7, '', 'GET', '\u0000', '\ud800', [], {}, ['x'], { a: ['b'] }, { 'x\r\ny': ['z'] }, { a: ['\r\nb: c'] }, 'aGk=', '=', 'POST', 'FOO', 'get'];
  for (let turn = 0; turn < loops(5000, 300); turn += 1) {
    const pick = (): unknown => values[roll(values.length)];
    const path = String.fromCharCode(...Array.from({ length: roll(12) }, () => roll(0x2000)));
    const reply = await scene.call(`${fine.port}:/${path}`, { method: pick(), header: pick(), body: pick(), url: pick() });
    expect([200, 400, 404]).toContain(reply.status);
  }
});

it('[servicebus-4.4] a thousand programs that send slowly or nothing hold up nobody', { timeout: 300_000 }, async () => {
  await stillServes();
  const sockets: Socket[] = [];
  for (let number = 0; number < 1000; number += 1) {
    const socket = connect(scene.port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    await once(socket, 'connect');
    if (number % 2 === 0) socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000\r\n\r\n{');
  }
  expect(await ask(scene.port, { body: asks(URL_A) })).toMatchObject({ json: { code: 200 } });
  for (const socket of sockets) socket.destroy();
  await stillServes();
});

it('[servicebus-4.5] a connection that is used again and again gathers nothing', { timeout: 120_000 }, async () => {
  await stillServes();
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', onWarning);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let turn = 0; turn < 30; turn += 1) expect(await ask(scene.port, { body: asks(URL_A), agent })).toMatchObject({ json: { code: 200 } });
  await new Promise(setImmediate);
  agent.destroy();
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});
