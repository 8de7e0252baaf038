import { randomBytes, randomInt } from 'node:crypto';
import { connect } from 'node:net';
import { once } from 'node:events';
import { loops } from '@edge/testing';
import { expect, it } from 'vitest';
import { readQuery } from '../src/dns/wire/read-query.js';
import { addressesIn, scanAnswer } from '../src/dns/wire/scan-answer.js';
import { Malformed } from '../src/dns/wire/names.js';
import { FakeUpstream, NamesScene, addressAnswer, rawQuery, service } from './names-scene.js';

const NAME = 'web.default.svc.cluster.local';

/** A good message with some bytes changed, cut or added. */
function spoilt(bytes: Buffer): Buffer {
  const copy = Buffer.concat([bytes, randomInt(4) === 0 ? randomBytes(randomInt(40)) : Buffer.alloc(0)]);
  for (let left = randomInt(6); left > 0; left -= 1) copy[randomInt(copy.length)] = randomInt(3) === 0 ? 0xc0 : randomInt(256);
  return randomInt(5) === 0 ? copy.subarray(0, randomInt(copy.length)) : copy;
}

it('[edgemesh-7.1] whatever bytes come, as question or as answer, nothing breaks and every answer is one', async () => {
  await using scene = await NamesScene.open({ tryMs: 1 });
  scene.put(service('web', { clusterIP: '10.96.0.5', ports: [{ name: 'http', port: 80 }] }));
  const good = [rawQuery(NAME, 1), rawQuery(`_http._tcp.${NAME}`, 33, { payload: 4096 }), rawQuery('5.0.96.10.in-addr.arpa', 12), rawQuery('', 6)];
  for (let round = 0; round < loops(300_000, 4000); round += 1) {
    const bytes = randomInt(20) === 0 ? randomBytes(randomInt(600)) : spoilt(good[round % good.length] as Buffer);
    const read = readQuery(bytes);
    if (read !== undefined && 'query' in read && scene.resolver.answer(bytes, false, AbortSignal.abort()) instanceof Promise) continue;
    const answer = scene.resolver.answer(bytes, false, scene.stop.signal) as Buffer | undefined;
    if (answer === undefined) continue;
    expect(answer.readUInt16BE(0)).toBe(bytes.readUInt16BE(0));
    expect(answer.readUInt16BE(2) & 0x8000).toBe(0x8000);
    expect(answer.length).toBeLessThanOrEqual(1232);
  }
  for (let round = 0; round < loops(300_000, 4000); round += 1) {
    const question = rawQuery('one.example', 1);
    const answer = spoilt(addressAnswer(question, '192.0.2.1'));
    const scanned = scanAnswer(answer, 7, question.subarray(12));
    if (scanned !== undefined) for (const at of scanned.ttlOffsets) expect(at + 4).toBeLessThanOrEqual(answer.length);
    try {
      addressesIn(answer);
    } catch (error) {
      expect(error instanceof Malformed || error instanceof RangeError).toBe(true);
    }
  }
});

it('[edgemesh-7.2] 10,000 questions at once for names upstream that does not answer: bounded, none forgotten, and services are found meanwhile', async () => {
  await using upstream = await FakeUpstream.open();
  upstream.script = () => undefined;
  await using scene = await NamesScene.open({ upstream: [upstream.port], tryMs: 1000 });
  scene.put(service('web', { clusterIP: '10.96.0.5' }));
  const before = process.memoryUsage().rss;
  const asked = Array.from({ length: 10_000 }, (_, index) => Promise.resolve(scene.resolver.answer(rawQuery(`n${index}.example`, 1, { id: index }), false, scene.stop.signal)));
  expect(scene.forwarder.out).toBeLessThanOrEqual(512);
  expect(await scene.client.resolve4(NAME)).toEqual(['10.96.0.5']);
  const answers = await Promise.all(asked);
  expect(answers.every((answer, index) => answer?.readUInt16BE(0) === index && (answer.readUInt16BE(2) & 0xf) === 2)).toBe(true);
  expect(scene.forwarder.out).toBe(0);
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
}, 60_000);

it('[edgemesh-7.3] over TCP: messages in pieces, many at once, too many connections, and one that reads nothing', async () => {
  await using scene = await NamesScene.open();
  scene.put(service('web', { clusterIP: '10.96.0.5' }));
  const frame = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  const socket = connect(scene.udp.port, '127.0.0.1');
  const got: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => got.push(chunk));
  for (const byte of frame(rawQuery(NAME, 1, { id: 1 }))) socket.write(Buffer.from([byte]));
  socket.write(Buffer.concat(Array.from({ length: 200 }, (_, index) => frame(rawQuery(NAME, 1, { id: 2 + index })))));
  const count = (): number => {
    let all = Buffer.concat(got);
    let answers = 0;
    while (all.length >= 2 && all.length >= 2 + all.readUInt16BE(0)) {
      answers += 1;
      all = all.subarray(2 + all.readUInt16BE(0));
    }
    return answers;
  };
  await expect.poll(count, { timeout: 20_000 }).toBe(201);
  const deaf = connect(scene.udp.port, '127.0.0.1');
  deaf.on('error', () => undefined);
  deaf.pause();
  const flood = Buffer.concat(Array.from({ length: 1000 }, () => frame(rawQuery(NAME, 1))));
  // As much as it may: the server reads no more when nobody reads its answers.
  let written = 0;
  while (written < 100_000_000 && deaf.writableLength < 4_000_000) {
    deaf.write(flood);
    written += flood.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(deaf.writableLength).toBeGreaterThan(2_000_000);
  const others = Array.from({ length: 300 }, () => connect(scene.udp.port, '127.0.0.1').on('error', () => undefined));
  await expect.poll(() => others.filter(({ destroyed }) => destroyed).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(40);
  expect(scene.tcp.connections).toBeLessThanOrEqual(256);
  expect(await scene.client.resolve4(NAME)).toEqual(['10.96.0.5']);
  for (const other of [socket, deaf, ...others]) other.destroy();
  await Promise.all([socket, deaf].filter(({ closed }) => !closed).map((other) => once(other, 'close')));
}, 60_000);
