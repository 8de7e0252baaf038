import { readFileSync } from 'node:fs';
import { encodeMessage, type Message } from '@edge/protocol';
import { freePort, readCapture } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request, startScene, type Scene } from './support/scene.js';
import { startService, type Seen, type Service } from './support/service.js';

const recorded = readCapture(readFileSync(new URL('./fixtures/06-rules.jsonl', import.meta.url), 'utf8')).flatMap((step) => ('message' in step ? [step] : []));

let scene: Scene;
let service: Service;
beforeAll(async () => {
  service = await startService((seen, response) => serve(seen, response));
  scene = await startScene();
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

const at = (path: string): string => `${service.port}:${path}`;
const last = (): Seen => service.seen.at(-1) as Seen;

function serve(seen: Seen, response: import('node:http').ServerResponse): void {
  const [path] = seen.url.split('?');
  if (path === '/binary') return void response.writeHead(200, { 'x-many': ['a', 'b'], 'content-type': 'application/octet-stream' }).end(Buffer.from([...seen.body].reverse()));
  if (path === '/huge') return void response.end(Buffer.alloc(5_000_001, 'x'));
  if (path === '/largest') return void response.end(Buffer.alloc(5_000_000, 'y'));
  if (path === '/breaks') {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half');
    return void setTimeout(() => response.destroy(), 20);
  }
  const redirect = /^\/to\/(\d+)(.*)$/.exec(path as string);
  if (redirect) return void response.writeHead(Number(redirect[1]), { location: redirect[2] || '/landed' }).end('moved');
  if (path === '/loop') return void response.writeHead(302, { location: '/loop' }).end();
  response.writeHead(path === '/teapot' ? 418 : 200).end('ok');
}

it('[servicebus-1.1] answers the recorded call with the recorded reply, but for ids, times and what the service itself says', async () => {
  const asked = recorded.find(({ message }) => message.route.source === 'router_servicebus')?.message as Message;
  const replied = recorded.find(({ message }) => message.header.parentId === asked.header.id && message.route.source === 'servicebus')?.message as Message;
  await using echo = await startService((_seen, response) => {
    response.setHeader('Date', 'Sun, 22 Nov 2026 02:03:02 GMT');
    response.end('ok-9070');
  });
  const { message } = await scene.call(asked.route.resource.replace('9070', String(echo.port)), asked.content);
  const normal = (reply: Message): string => encodeMessage({ ...reply, header: { ...reply.header, id: '-', parentId: '-', timestamp: 0 } });
  expect(normal(message)).toBe(normal(replied));
  expect(echo.seen).toMatchObject([{
    method: 'POST', url: '/echo', body: Buffer.from('{"message":"svc"}'),
    headers: { host: `127.0.0.1:${echo.port}`, accept: '*/*', 'content-length': '17', 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'curl/7.88.1' },
  }]);
});

it('[servicebus-1.2] keeps bytes, repeated headers and the query as they are, both ways', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
  const reply = await scene.call(at('/binary?a=1&time=10:30&q=%C3%BC'), request('PUT', bytes, { 'X-Twice': ['1', '2'], 'X-Text': ['grün'] }), 'whatever');
  expect(reply).toMatchObject({ status: 200, headers: { 'X-Many': ['a', 'b'], 'Content-Type': ['application/octet-stream'] } });
  expect(reply.body.equals(Buffer.from([...bytes].reverse()))).toBe(true);
  expect(last()).toMatchObject({ method: 'PUT', url: '/binary?a=1&time=10:30&q=%C3%BC', headers: { 'x-twice': '1, 2' } });
  expect(Buffer.from(String(last().headers['x-text']), 'latin1').toString()).toBe('grün');
});

it('[servicebus-1.3] passes no header on that is about the cloud\'s connection', async () => {
  await scene.call(at('/'), request('POST', 'abc', {
    Connection: ['close, X-Hop'], 'X-Hop': ['1'], 'Keep-Alive': ['9'], 'Transfer-Encoding': ['chunked'], Upgrade: ['h2c'], Te: ['trailers'], Host: ['cloud'], 'Content-Length': ['999'], Expect: ['100-continue'], 'X-Line': ['a\r\nX-Forged: 1'],
  }));
  expect(last().headers).toEqual({ host: `127.0.0.1:${service.port}`, 'x-line': 'a X-Forged: 1', accept: '*/*', 'content-length': '3', connection: 'keep-alive' });
});

it('[servicebus-1.4] says what the service says, whatever its status, and to HEAD and requests without a body', async () => {
  expect(await scene.call(at('/teapot'), request('DELETE'))).toMatchObject({ status: 418, text: 'ok' });
  expect(await scene.call(at('/'), request('HEAD'))).toMatchObject({ status: 200, text: '' });
  expect(await scene.call(at(''), { header: null, body: null, method: '', url: '' })).toMatchObject({ status: 200, text: 'ok' });
  expect(last()).toMatchObject({ method: 'GET', url: '/' });
});

describe('what cannot be called', () => {
  it.each([
    ['nonsense', 400, /^the format of resource nonsense is incorrect/],
    ['0:/x', 400, /^the format of resource 0:\/x is incorrect/],
    ['70000:/x', 400, /is incorrect/],
    ['9000:x', 400, /is incorrect: the path must begin with \//],
    ['1:/x', 404, /^error to call service: 1:\/x on this node: nothing listens there \(after \d+ ms\)$/],
  ])('[servicebus-1.5] %s: %i', async (resource, status, text) => {
    const reply = await scene.call(resource, request('GET'));
    expect(reply).toMatchObject({ status, headers: { Server: ['kubeedge-edgecore'] }, text: expect.stringMatching(text) as string });
    expect(reply.message.route).toMatchObject({ source: 'servicebus', group: 'user', operation: 'upload', resource: '' });
  });

  it.each([
    [null], ['{'], [[]], [{ method: 'GET POST' }], [{ method: 'CONNECT' }], [{ method: 7 }], [{ method: 'GET', body: '%%%' }], [{ method: 'GET', body: 1 }],
    [{ method: 'GET', header: { a: 'text' } }], [{ method: 'GET', header: { 'a b': ['x'] } }], [{ method: 'GET', header: 'x' }],
  ])('[servicebus-1.6] the content %j: 400', async (content) => {
    expect(await scene.call(at('/'), content)).toMatchObject({ status: 400, text: expect.stringMatching(/^error to parse http request: /) as string });
  });
});

it('[servicebus-1.7] an answer of more than 5,000,000 bytes is refused in words, one of as many passes', async () => {
  expect(await scene.call(at('/huge'), request('GET'))).toMatchObject({ status: 502, text: 'the answer has more than 5000000 bytes' });
  expect((await scene.call(at('/largest'), request('GET'))).body.length).toBe(5_000_000);
  expect(await scene.call(at('/breaks'), request('GET'))).toMatchObject({ status: 500, text: expect.stringMatching(/^error to receive response, err: /) as string });
});

describe('redirects', () => {
  it.each([
    [301, 'POST', 'GET', ''], [302, 'PUT', 'GET', ''], [303, 'HEAD', 'HEAD', ''], [307, 'POST', 'POST', 'abc'], [308, 'PATCH', 'PATCH', 'abc'],
  ])('[servicebus-1.8] %i of %s becomes %s', async (status, method, then, body) => {
    const given = method === 'HEAD' ? '' : 'abc';
    expect(await scene.call(at(`/to/${status}`), request(method, given, { Authorization: ['secret'], 'Content-Type': ['text/plain'] }))).toMatchObject({ status: 200 });
    expect(last()).toMatchObject({ method: then, url: '/landed', body: Buffer.from(body), headers: { authorization: 'secret', referer: `http://127.0.0.1:${service.port}/to/${status}` } });
  });

  it('[servicebus-1.9] are followed ten times, to other hosts without what is secret, and not to where rules may not go', async () => {
    expect(await scene.call(at('/loop'), request('GET'))).toMatchObject({ status: 404, text: expect.stringContaining('redirected more than 10 times') as string });
    await scene.call(at(`/to/302//localhost:${service.port}/else`), request('GET', '', { Authorization: ['secret'], Cookie: ['c'] }));
    expect([last().url, last().headers['authorization'], last().headers['cookie']]).toEqual(['/else', undefined, undefined]);
    expect(await scene.call(at(`/to/302//localhost:${scene.port}/`), request('GET'))).toMatchObject({ status: 403, text: expect.stringContaining('the servicebus itself') as string });
    for (const host of ['0.0.0.0', '[::ffff:127.0.0.1]', '2130706433']) expect(await scene.call(at(`/to/302//${host}:${scene.port}/`), request('GET'))).toMatchObject({ status: 403 });
    expect(await scene.call(at('/to/302'), request('GET'))).toMatchObject({ status: 200 });
  });
});

it('[servicebus-1.10] a service that is silent or never ends its answer costs its own call alone', async () => {
  await using own = await startScene({ own: { callTimeoutSeconds: 1 } });
  await using silent = await startService(() => undefined);
  await using endless = await startService((_seen, response) => {
    const timer = setInterval(() => response.write('.'), 20);
    response.on('close', () => clearInterval(timer));
  });
  const calls = [silent, endless].map(({ port }) => own.call(`${port}:/`, request('POST')));
  expect(await own.call(at('/'), request('GET'))).toMatchObject({ status: 200 });
  for (const call of calls) expect(await call).toMatchObject({ status: 404, text: expect.stringContaining('no answer within 1 s') as string });
});

it('[servicebus-1.16] as many calls as may be at a time leave the next one refused, until one ends', async () => {
  const held: (() => void)[] = [];
  await using slow = await startService((_seen, response) => void held.push(() => response.end('late')));
  await using own = await startScene({ own: { maxRequests: 2, callTimeoutSeconds: 600 } });
  const calls = [1, 2].map(() => own.call(`${slow.port}:/`, request('POST')));
  await expect.poll(() => held.length, { timeout: 20_000 }).toBe(2);
  expect(await own.call(at('/'), request('GET'))).toMatchObject({ status: 503, text: '2 requests are under way on this node already; try again later' });
  for (const release of held) release();
  for (const call of calls) expect(await call).toMatchObject({ status: 200, text: 'late' });
  expect(await own.call(at('/'), request('GET'))).toMatchObject({ status: 200 });
});

it('[servicebus-1.11] calls go on over connections that services closed meanwhile', async () => {
  await using impatient = await startService((_seen, response, incoming) => {
    response.end('ok', () => incoming.socket.destroy());
  });
  for (let turn = 0; turn < 20; turn += 1) expect(await scene.call(`${impatient.port}:/`, request('GET'))).toMatchObject({ status: 200 });
});

it('[servicebus-1.12] stops in the middle of a call without an answer, and answers nothing to others', async () => {
  const own = await startScene();
  const hanging = await startService(() => undefined);
  void own.call(`${hanging.port}:/`, request('GET')).catch(() => undefined);
  await expect.poll(() => hanging.seen.length, { timeout: 20_000 }).toBe(1);
  await own.module.stop();
  expect(own.hub.received).toEqual([]);
  expect(own.module.letters).toEqual([]);
  await hanging[Symbol.asyncDispose]();
});

it('[servicebus-1.17] a redirect to a name is judged each time, also while the connection of the one before is open', async () => {
  await using sends = await startService((seen, response) => void response.writeHead(302, { location: `http://localhost:${service.port}${seen.url}` }).end());
  await using own = await startScene({ own: { allow: [String(sends.port), `${service.port}/open`] } });
  const before = service.seen.length;
  const statuses = [];
  for (const path of ['/open', '/closed', '/open']) statuses.push((await own.call(`${sends.port}:${path}`, request('GET'))).status);
  expect(statuses).toEqual([200, 403, 200]);
  expect(service.seen.slice(before).map(({ url }) => url)).toEqual(['/open', '/open']);
});

describe('what rules may reach', () => {
  it('[servicebus-1.13] the agent\'s own ports only when they are named one by one', async () => {
    const [kubelet, broker, tests] = [await freePort(), await freePort(), await freePort()];
    const modules = { dbTest: { enable: true }, edged: { tailoredKubeletConfig: { readOnlyPort: kubelet } }, eventBus: { mqttMode: 0, mqttServerInternal: `tcp://127.0.0.1:${broker}` }, metaManager: { metaServer: { enable: true } } };
    await using closed = await startScene({ modules, edge: { testManager: { port: tests } } });
    for (const [port, what] of [[kubelet, 'kubelet API'], [10_550, 'Kubernetes API'], [broker, 'MQTT broker'], [tests, 'test module'], [closed.port, 'the servicebus itself']] as const) {
      expect(await closed.call(`${port}:/`, request('GET'))).toMatchObject({ status: 403, text: expect.stringContaining(what) as string });
    }
    expect(closed.module.lines.filter(({ level }) => level === 'warn')).toHaveLength(5);
    await using range = await startScene({ modules, own: { allow: ['1-65535'] } });
    expect(await range.call(`${kubelet}:/`, request('GET'))).toMatchObject({ status: 403 });
    await using open = await startScene({ modules, own: { allow: ['1-65535', String(kubelet)] } });
    expect(await open.call(`${kubelet}:/`, request('GET'))).toMatchObject({ status: 404 });
  });

  it('[servicebus-1.14] only the ports and paths of the list, however a path is written', async () => {
    const before = service.seen.length;
    await using own = await startScene({ own: { allow: [`${service.port}/api/`, '1-2'] } });
    for (const path of ['/api', '/api/x', '/api?y']) expect(await own.call(at(path), request('GET'))).toMatchObject({ status: 200 });
    for (const path of ['/', '/apix', '/api/../x', '/api/%2e%2e/x', '/api/..%2fx', '/api/%252e%252e/x', '/api/..;/x', '/api/..%3b/x', '/api//x', '/api\\x']) {
      expect(await own.call(at(path), request('GET'))).toMatchObject({ status: 403, text: expect.stringContaining('edge.serviceBus.allow') as string });
    }
    expect(await own.call('3:/api', request('GET'))).toMatchObject({ status: 403 });
    expect(service.seen.length - before).toBe(3);
  });
});

it('[servicebus-1.15] what the router repeats is done once within the window, what was answered with 200 again', async () => {
  let answers = 0;
  await using counting = await startService((seen, response) => {
    answers += 1;
    response.writeHead(seen.url === '/fine' ? 200 : 500).end(`answer ${answers}`);
  });
  await using own = await startScene({ own: { repeatWindowSeconds: 600 } });
  const post = (path: string, body: string) => own.call(`${counting.port}:${path}`, request('POST', body));
  expect([(await post('/fails', 'a')).text, (await post('/fails', 'a')).text, (await post('/fails', 'b')).text]).toEqual(['answer 1', 'answer 1', 'answer 2']);
  expect([(await post('/fine', 'a')).text, (await post('/fine', 'a')).text]).toEqual(['answer 3', 'answer 4']);
  const get = () => own.call(`${counting.port}:/fails`, request('GET'));
  expect([(await get()).text, (await get()).text]).toEqual(['answer 5', 'answer 6']);
  const nobody = await freePort();
  expect(await own.call(`${nobody}:/`, request('POST', 'a'))).toMatchObject({ status: 404 });
  await using late = await startService(undefined, nobody);
  expect(await own.call(`${late.port}:/`, request('POST', 'a'))).toMatchObject({ status: 200 });
});
