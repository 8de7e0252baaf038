import { mkdtemp, rm, stat, readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMessage, createResponse, encodeMessage, targetUrlsTable, type Message, type TargetUrlRow } from '@edge/protocol';
import { createMemoryStore, eventually, freePort } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleaned } from '../src/uploads/target-urls.js';
import { Rate } from '../src/uploads/rate.js';
import { ask, asks, type Told } from './support/program.js';
import { DOWN, isUpload, startScene, UP, type Scene, type SceneOptions } from './support/scene.js';

const URL_A = 'http://127.0.0.1:9000/echo';
const answer = (message: Message): unknown => (isUpload(message) ? `echo of ${String(message.content)}` : 'OK');

async function withUrl(options: SceneOptions = {}): Promise<Scene> {
  const scene = await startScene({ hub: answer, ...options });
  await scene.tell('start', URL_A);
  await listening(scene.port);
  return scene;
}

/** Waits until somebody listens there. */
async function listening(port: number, wanted = true): Promise<void> {
  await eventually(async () => ((await reachable(port)) === wanted ? true : undefined), `port ${port} is ${wanted ? 'open' : 'closed'}`);
}

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

describe('a program on the node', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await withUrl();
  });
  afterAll(() => scene[Symbol.asyncDispose]());

  it('[servicebus-2.1] is answered what the cloud answers, in upstream\'s form, whatever method and path it uses; the whole body goes as base64', async () => {
    const body = '{"method":"POST","targetURL":"http://127.0.0.1:9000/echo","payload":""}';
    const told = await ask(scene.port, { body, method: 'PUT', path: '/any/thing?x=1' });
    expect(told).toMatchObject({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' } });
    const base64 = 'eyJtZXRob2QiOiJQT1NUIiwidGFyZ2V0VVJMIjoiaHR0cDovLzEyNy4wLjAuMTo5MDAwL2VjaG8iLCJwYXlsb2FkIjoiIn0=';
    expect(told.text).toBe(`{"code":200,"msg":"receive response from cloud successfully","body":"echo of ${base64}"}`);
    const sent = scene.hub.received.findLast(isUpload) as Message;
    expect(encodeMessage({ ...sent, header: { ...sent.header, id: 'a1', timestamp: 1760000000000 } })).toBe(
      `{"header":{"msg_id":"a1","timestamp":1760000000000},"route":{"source":"servicebus","group":"user","operation":"upload","resource":"http://127.0.0.1:9000/echo"},"content":"${base64}"}\n`,
    );
  });

  it.each([
    ['', 'invalid params'], ['{', 'invalid params'], ['[]', 'invalid params'], ['7', 'invalid params'], ['{"targetURL":7}', 'invalid params'], ['{"method":7}', 'invalid params'],
    ['null', 'url  is not allowed and please make a rule for this url in the cloud'],
    ['{}', 'url  is not allowed and please make a rule for this url in the cloud'],
    [asks('http://else'), 'url http://else is not allowed and please make a rule for this url in the cloud'],
    [asks(`${URL_A}/`), `url ${URL_A}/ is not allowed and please make a rule for this url in the cloud`],
  ])('[servicebus-2.2] %j: 400 within, 200 without', async (body, msg) => {
    expect(await ask(scene.port, { body })).toMatchObject({ status: 200, json: { code: 400, msg, body: '' } });
  });

  it('[servicebus-2.3] is told at once that the body is too large, announced or not', async () => {
    const huge = Buffer.alloc(5_000_001, ' ');
    const msg = 'the body has more than 5000000 bytes';
    expect(await ask(scene.port, { body: huge })).toMatchObject({ status: 413, json: { code: 413, msg } });
    expect(await ask(scene.port, { body: huge, headers: { 'transfer-encoding': 'chunked' } })).toMatchObject({ status: 413, json: { code: 413, msg } });
    const largest = `${asks(URL_A)}${' '.repeat(5_000_000 - asks(URL_A).length)}`;
    expect(await ask(scene.port, { body: largest })).toMatchObject({ json: { code: 200 } });
  });

  it('[servicebus-2.4] is told at once that the cloud is away', async () => {
    const before = scene.hub.received.length;
    scene.link.set(DOWN);
    expect(await ask(scene.port, { body: asks(URL_A) })).toMatchObject({ status: 200, json: { code: 400, msg: 'there is no connection to the cloud: the cable is out' } });
    scene.link.set(UP);
    expect(scene.hub.received.length).toBe(before);
  });

  it.each([
    [{ origin: 'http://evil.example' }], [{ 'sec-fetch-site': 'cross-site' }], [{ host: 'evil.example:9060' }],
  ])('[servicebus-2.5] is no web page: %j is refused', async (headers) => {
    expect(await ask(scene.port, { body: asks(URL_A), headers })).toMatchObject({ status: 403, json: { code: 403 } });
  });

  it('[servicebus-2.6] may name the address in any way', async () => {
    for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1:9060', '[::1]:9060', '10.0.0.1']) expect(await ask(scene.port, { body: asks(URL_A), headers: { host } })).toMatchObject({ json: { code: 200 } });
  });
});

it('[servicebus-2.7] a cloud that does not answer, refuses, or goes away in the middle: 400 with words, and it is not asked again', async () => {
  let script: (message: Message) => unknown = () => undefined;
  await using scene = await withUrl({ config: { timeout: 1 }, hub: (message) => script(message) });
  expect(await ask(scene.port, { body: asks(URL_A) })).toMatchObject({ status: 200, json: { code: 400, msg: expect.stringMatching(/^timeout to get response for message [0-9a-f-]{36}: /) as string } });
  script = (message) => createResponse(message, 'connection lost between EdgeCore and CloudCore', { operation: 'error' });
  expect(await ask(scene.port, { body: asks(URL_A) })).toMatchObject({ json: { code: 400, msg: 'connection lost between EdgeCore and CloudCore' } });
  script = (message) => createResponse(message, { a: '<b>' });
  expect(await ask(scene.port, { body: asks(URL_A) })).toMatchObject({ json: { code: 200, body: '{"a":"\\u003cb\\u003e"}' } });
  expect(scene.hub.received.filter(isUpload)).toHaveLength(3);
});

it('[servicebus-2.8] a program that goes away is not waited for', async () => {
  await using scene = await withUrl({ hub: () => undefined, own: { maxRequests: 1 } });
  const away = new AbortController();
  const asked = ask(scene.port, { body: asks(URL_A), signal: away.signal });
  const message = await scene.hub.next(isUpload, 30_000);
  expect(scene.module.core.bus.awaited(message.header.id)).toBe(true);
  expect(await ask(scene.port, { body: asks(URL_A) })).toMatchObject({ status: 503, json: { code: 503 } });
  away.abort();
  await expect(asked).rejects.toThrow();
  await expect.poll(() => scene.module.core.bus.awaited(message.header.id), { timeout: 30_000 }).toBe(false);
});

it('[servicebus-2.9] with body plain the cloud gets text as it is, and bytes that are no text as base64', async () => {
  await using scene = await withUrl({ own: { body: 'plain' } });
  const body = asks(URL_A, 'grün');
  expect((await ask(scene.port, { body })).json.body).toBe(`echo of ${body}`);
  const bytes = Buffer.concat([Buffer.from(`{"targetURL":"${URL_A}","payload":"`), Buffer.from([0xff]), Buffer.from('"}')]);
  expect((await ask(scene.port, { body: bytes })).json.body).toBe(`echo of ${bytes.toString('base64')}`);
});

describe('the URLs of rules', () => {
  it('[servicebus-3.1] open the server with the first, close it with the last, and outlive the agent', async () => {
    const store = createMemoryStore();
    const port = await freePort();
    const urls = (): string[] => store.table<TargetUrlRow>(targetUrlsTable).all().map(({ url }) => url);
    await using scene = await startScene({ store, config: { port }, hub: answer });
    expect(await reachable(port)).toBe(false);
    // A stop that comes first kills nothing that comes after.
    await scene.tell('stop', 'http:/127.0.0.1:9000/echo');
    await scene.tell('start', URL_A);
    await scene.tell('start', URL_A);
    await scene.tell('start', 'http://127.0.0.1:9000/other/');
    await listening(port);
    await expect.poll(urls, { timeout: 30_000 }).toEqual([URL_A, 'http://127.0.0.1:9000/other/']);
    await scene.module.stop();
    await listening(port, false);
    await using again = await startScene({ store, config: { port }, hub: answer });
    await listening(port);
    expect(await ask(port, { body: asks(URL_A) })).toMatchObject({ json: { code: 200 } });
    await again.tell('stop', 'http:/127.0.0.1:9000/echo');
    await expect.poll(urls, { timeout: 30_000 }).toEqual(['http://127.0.0.1:9000/other/']);
    expect(await ask(port, { body: asks(URL_A) })).toMatchObject({ json: { code: 400, msg: expect.stringContaining('is not allowed') as string } });
    await again.tell('stop', 'http:/127.0.0.1:9000/other');
    await listening(port, false);
    expect(urls()).toEqual([]);
    await again.tell('start', URL_A);
    await listening(port);
  });

  it('[servicebus-3.2] a stop takes the URL that is meant: the one with its slashes before those that look the same when cleaned', async () => {
    const store = createMemoryStore();
    const urls = (): string[] => store.table<TargetUrlRow>(targetUrlsTable).all().map(({ url }) => url).sort();
    await using scene = await startScene({ store });
    for (const url of ['http://h/a', 'http://h/a/', 'http://h/b//c/../d/']) await scene.tell('start', url);
    await expect.poll(() => urls().length, { timeout: 30_000 }).toBe(3);
    await scene.tell('stop', 'http:/h/a');
    await expect.poll(urls, { timeout: 30_000 }).toEqual(['http://h/a/', 'http://h/b//c/../d/']);
    await scene.tell('stop', 'http:/h/b/d');
    await scene.tell('stop', 'http:/h/not-there');
    await expect.poll(urls, { timeout: 30_000 }).toEqual(['http://h/a/']);
  });

  it.each([['a//b/./c/', 'a/b/c'], ['/a/../..', '/'], ['a/../../b', '../b'], ['', '.'], ['http://h/x/', 'http:/h/x']])('[servicebus-3.3] %j cleaned is %j, as Go has it', (path, clean) =>
    expect(cleaned(path)).toBe(clean));
});

describe('who may ask', () => {
  it('[servicebus-3.4] with a token file only who shows the token, which is made and kept to its owner', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'servicebus-'));
    try {
      const tokenFile = join(folder, 'keys', 'token');
      await using scene = await withUrl({ own: { tokenFile }, config: { server: '0.0.0.0' } });
      expect((await stat(tokenFile)).mode & 0o777).toBe(0o600);
      const token = (await readFile(tokenFile, 'utf8')).trim();
      const shown = (authorization: string): Promise<Told> => ask(scene.port, { body: asks(URL_A), headers: { authorization } });
      expect(await ask(scene.port, { body: asks(URL_A) })).toMatchObject({ status: 401, json: { code: 401 } });
      expect(await shown(`Bearer ${token}x`)).toMatchObject({ status: 401 });
      expect(await shown(`Bearer ${token}`)).toMatchObject({ status: 200, json: { code: 200 } });
      const open = join(folder, 'open');
      await writeFile(open, 'a-token-of-more-than-16', { mode: 0o644 });
      await using refused = await startScene({ own: { tokenFile: open } });
      await refused.tell('start', URL_A);
      await expect.poll(() => refused.module.lines.filter(({ level }) => level === 'error').map(({ fields }) => String(fields['err'])), { timeout: 30_000 }).toEqual([expect.stringContaining('can be read by others than its owner')]);
      expect(await reachable(refused.port)).toBe(false);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('[servicebus-3.5] on an address that others reach nobody, unless the configuration says so', async () => {
    await using closed = await startScene({ config: { server: '0.0.0.0' } });
    await closed.tell('start', URL_A);
    await expect.poll(() => closed.module.lines.map(({ message }) => message), { timeout: 30_000 }).toContainEqual(expect.stringContaining('no server is opened there'));
    expect(await reachable(closed.port)).toBe(false);
    await using open = await withUrl({ config: { server: '0.0.0.0' }, own: { openToNetwork: true } });
    expect(await ask(open.port, { body: asks(URL_A) })).toMatchObject({ json: { code: 200 } });
  });

  it('[servicebus-3.6] as often as the rate allows', async () => {
    const rate = new Rate(10, 0);
    expect(Array.from({ length: 25 }, () => rate.take(0)).filter(Boolean)).toHaveLength(20);
    expect([rate.take(99), rate.take(101), rate.take(102)]).toEqual([false, true, false]);
    await using scene = await withUrl({ own: { requestsPerSecond: 1 } });
    const statuses = [];
    for (let turn = 0; turn < 8; turn += 1) statuses.push((await ask(scene.port, { body: '{}' })).status);
    expect(statuses.slice(0, 2)).toEqual([200, 200]);
    expect(statuses).toContain(429);
  });
});

it('[servicebus-3.7] a port that somebody else has is waited for, said once', async () => {
  const port = await freePort();
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  await using scene = await startScene({ config: { port }, hub: answer });
  await scene.tell('start', URL_A);
  const errors = (): string[] => scene.module.lines.filter(({ level }) => level === 'error').map(({ fields }) => String(fields['err']));
  await expect.poll(errors, { timeout: 30_000 }).toEqual([expect.stringContaining(`cannot listen on 127.0.0.1:${port}: another program has this port`)]);
  other.close();
  await expect.poll(() => ask(port, { body: asks(URL_A) }).then(({ json }) => json.code, () => 0), { timeout: 30_000 }).toBe(200);
  expect(errors()).toHaveLength(1);
});

it('[servicebus-3.8] what is for others in the group is not taken, nor answered', async () => {
  await using scene = await startScene();
  for (const source of ['twin', 'edgehub', 'router_eventbus']) {
    await scene.module.core.bus.send({ module: 'servicebus' }, createMessage({ source, group: 'bus', operation: 'start', resource: URL_A }));
  }
  await scene.tell('start', 'http://h/x');
  await expect.poll(() => scene.store.table<TargetUrlRow>(targetUrlsTable).all().map(({ url }) => url), { timeout: 30_000 }).toEqual(['http://h/x']);
  expect(scene.module.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
});
