import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { addressAnswer, FakeUpstream, NamesScene, rawQuery, service } from './names-scene.js';

const ask = async (scene: NamesScene, name: string, options: object = {}, isTcp = false): Promise<Buffer> => (await scene.resolver.answer(rawQuery(name, 1, options), isTcp, scene.stop.signal)) as Buffer;
const rcode = (answer: Buffer): number => answer.readUInt16BE(2) & 0xf;
const addressOf = (answer: Buffer): string => answer.subarray(-4).join('.');

it('[edgemesh-5.1] another name is asked for upstream, under another id, and kept for as long as the answer says', async () => {
  await using upstream = await FakeUpstream.open();
  await using scene = await NamesScene.open({ upstream: [upstream.port] });
  expect(await scene.client.resolve4('one.example', { ttl: true })).toEqual([{ address: '192.0.2.80', ttl: 60 }]);
  scene.later(20_000);
  expect(await scene.client.resolve4('ONE.example', { ttl: true })).toEqual([{ address: '192.0.2.80', ttl: 40 }]);
  expect(upstream.asked).toHaveLength(1);
  scene.later(40_000);
  await scene.client.resolve4('one.example');
  expect(upstream.asked).toHaveLength(2);
  for (let round = 0; round < 20; round += 1) await ask(scene, `n${round}.example`, { id: 7 });
  expect(new Set(upstream.asked.map((bytes) => bytes.readUInt16BE(0))).size).toBeGreaterThan(15);
});

it('[edgemesh-5.2] who asks for the same at the same time shares one question', async () => {
  await using upstream = await FakeUpstream.open();
  await using scene = await NamesScene.open({ upstream: [upstream.port] });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, id) => ask(scene, 'one.example', { id })));
  expect(answers.map((answer) => answer.readUInt16BE(0))).toEqual(answers.map((_, id) => id));
  expect(upstream.asked).toHaveLength(1);
});

it('[edgemesh-5.3] an answer with another id, question or flags, or from elsewhere, is refused, and the true one after it taken', async () => {
  await using upstream = await FakeUpstream.open();
  upstream.script = (question) => [
    addressAnswer(question, '203.0.113.66', { id: (question.readUInt16BE(0) + 1) & 0xffff }),
    addressAnswer(rawQuery('evil.example', 1, { id: question.readUInt16BE(0) }), '203.0.113.66'),
    addressAnswer(question, '203.0.113.66', { flags: 0x0100 }),
    question.subarray(0, 11), Buffer.alloc(0),
    addressAnswer(question, '203.0.113.66').subarray(0, -1),
    addressAnswer(question, '192.0.2.80'),
  ];
  await using scene = await NamesScene.open({ upstream: [upstream.port] });
  expect(addressOf(await ask(scene, 'one.example'))).toBe('192.0.2.80');
});

it('[edgemesh-5.4] a server that does not answer, or fails, is passed over for the next, and then asked last', async () => {
  await using silent = await FakeUpstream.open();
  silent.script = () => undefined;
  await using failing = await FakeUpstream.open();
  failing.script = (question) => addressAnswer(question, '0.0.0.0', { flags: 0x8182 });
  await using good = await FakeUpstream.open();
  await using scene = await NamesScene.open({ upstream: [silent.port, failing.port, good.port], tryMs: 200 });
  for (const name of ['a.example', 'b.example', 'c.example']) expect(addressOf(await ask(scene, name))).toBe('192.0.2.80');
  expect([silent.asked.length, failing.asked.length, good.asked.length]).toEqual([1, 1, 3]);
});

it('[edgemesh-5.5] while nobody upstream answers, services have names, what ran out is better than nothing, and the rest fails', async () => {
  const upstream = await FakeUpstream.open();
  await using scene = await NamesScene.open({ upstream: [upstream.port], tryMs: 100 });
  scene.put(service('web', { clusterIP: '10.96.0.5' }));
  await ask(scene, 'one.example');
  await upstream[Symbol.asyncDispose]();
  scene.later(120_000);
  const stale = await ask(scene, 'one.example');
  expect([rcode(stale), addressOf(stale), stale.readUInt32BE(stale.length - 10)]).toEqual([0, '192.0.2.80', 30]);
  expect(rcode(await ask(scene, 'two.example'))).toBe(2);
  expect(await scene.client.resolve4('web.default.svc.cluster.local')).toEqual(['10.96.0.5']);
  scene.later(90_000_000);
  expect(rcode(await ask(scene, 'one.example'))).toBe(2);
});

it('[edgemesh-5.6] a cut answer is passed on as such, and the asker then gets the whole over TCP', async () => {
  await using upstream = await FakeUpstream.open();
  upstream.script = (question) => addressAnswer(question, '0.0.0.0', { flags: 0x8380 });
  const tcp = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const answer = addressAnswer(chunk.subarray(2), '192.0.2.81');
      socket.end(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 255]), answer]));
    });
  });
  tcp.listen(upstream.port, '127.0.0.1');
  await once(tcp, 'listening');
  await using scene = await NamesScene.open({ upstream: [upstream.port] });
  expect(await scene.client.resolve4('one.example')).toEqual(['192.0.2.81']);
  tcp.close();
});

it("[edgemesh-5.7] the servers are the resolver file's, without this one, and follow its changes", async () => {
  await using upstream = await FakeUpstream.open();
  const folder = await mkdtemp(join(tmpdir(), 'edge-names-'));
  try {
    const file = join(folder, 'resolv.conf');
    await writeFile(file, '# nobody\n');
    await using scene = await NamesScene.open({ file });
    expect(rcode(await ask(scene, 'one.example'))).toBe(2);
    await writeFile(file, `search x\nnameserver 127.0.0.1:${scene.udp.port}\nnameserver 127.0.0.1:${upstream.port} # that one\nnameserver fe80::1%eth0\n`);
    await expect.poll(async () => rcode(await ask(scene, 'one.example')), { timeout: 20_000, interval: 200 }).toBe(0);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('[edgemesh-5.8] a name that stands for one elsewhere brings the addresses of that', async () => {
  await using upstream = await FakeUpstream.open();
  await using scene = await NamesScene.open({ upstream: [upstream.port] });
  scene.put(service('away', { type: 'ExternalName', externalName: 'db.example.com' }));
  expect(await scene.client.resolve4('away.default.svc.cluster.local')).toEqual(['192.0.2.80']);
  expect(await scene.client.resolveCname('away.default.svc.cluster.local')).toEqual(['db.example.com']);
  expect(upstream.asked.map((bytes) => bytes.includes('db'))).toEqual([true]);
});

it('[edgemesh-6.1] the cache holds as many answers as it may, those asked for last', async () => {
  await using upstream = await FakeUpstream.open();
  await using scene = await NamesScene.open({ upstream: [upstream.port], entries: 10 });
  for (let index = 0; index < 30; index += 1) {
    await ask(scene, `n${index}.example`);
    await ask(scene, 'n0.example');
  }
  expect(scene.cache.size).toBe(10);
  expect(upstream.asked.filter((bytes) => bytes.includes('\u0002n0'))).toHaveLength(1);
});

it('[edgemesh-6.2] denials are kept for as long as the zone says, failures not at all', async () => {
  await using upstream = await FakeUpstream.open();
  upstream.script = (question) => {
    const answer = addressAnswer(question, '0.0.0.0', { flags: 0x8183 }).subarray(0, -16);
    answer.writeUInt32BE(1, 6);
    const authority = Buffer.concat([Buffer.from([0, 0, 6, 0, 1, 0, 0, 14, 16, 0, 22, 0, 0]), Buffer.alloc(16), Buffer.from([0, 0, 0, 9])]);
    return Buffer.concat([answer, authority]);
  };
  await using scene = await NamesScene.open({ upstream: [upstream.port] });
  for (const later of [0, 5000, 5000]) {
    scene.later(later);
    expect(rcode(await ask(scene, 'none.example'))).toBe(3);
  }
  expect(upstream.asked).toHaveLength(2);
});
