import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeMessage, type Message } from '@edge/protocol';
import { freePort, readCapture } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCloud, type CloudFixture } from './cloud-fixture.js';
import type { EdgeClient } from './edge-client.js';
import { ruleBench } from './rule-objects.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

interface Ask {
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** A request to the REST side, with no header but those that are given. */
function ask(url: string, { method = 'POST', body = '', headers = {}, signal }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const path = url.slice(url.indexOf('/', 8));
    const call = request({ hostname, port, path, method, headers, agent: false, ...(signal ? { signal } : {}) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks), text: Buffer.concat(chunks).toString() }));
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** An application in the cloud. */
async function application(serve: (body: string) => string | undefined = () => 'Hello World'): Promise<{ url: string; seen: string[]; heads: IncomingHttpHeaders[]; server: Server }> {
  const seen: string[] = [];
  const heads: IncomingHttpHeaders[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      seen.push(body);
      heads.push(incoming.headers);
      const text = serve(body);
      if (text !== undefined) response.writeHead(text === 'bad' ? 500 : 200).end(text);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/app`, seen, heads, server };
}

const recorded = readCapture(readFileSync(new URL('./fixtures/06-rules.jsonl', import.meta.url), 'utf8')).flatMap((step) => ('message' in step ? [step] : []));
const recordedFrom = (source: string, operation: string): Message =>
  recorded.find(({ message }) => message.route.source === source && message.route.operation === operation)?.message as Message;
const plain = (message: Message): string => encodeMessage({ ...message, header: { ...message.header, id: '-', timestamp: 0 } });

const NODE = 'edge-1';
let fixture: CloudFixture;
let node: EdgeClient;
let bench: Awaited<ReturnType<typeof ruleBench>>;
let app: Awaited<ReturnType<typeof application>>;
const at = (path: string, name = NODE): string => `${fixture.cloud.routerUrl}/${name}/default/${path}`;
const from = (source: string, operation: string, resource: string) => (message: Message): boolean =>
  message.route.source === source && message.route.operation === operation && message.route.resource === resource;

beforeAll(async () => {
  app = await application((body) => (body === 'fail' ? 'bad' : 'Hello World'));
  fixture = await openCloud({ rulePauseMs: 10 });
  node = await fixture.connect(NODE);
  bench = await ruleBench(() => fixture.cloud);
  await bench.rule({ name: 'down', from: ['web', { path: '/to-topic' }], to: ['mqtt', { topic: 'testtopic' }] });
  await bench.rule({ name: 'call', from: ['web', { path: '/to-service/' }], to: ['service', { path: '/echo' }] });
  await bench.rule({ name: 'up', from: ['mqtt', { topic: 'uptopic', node_name: NODE }], to: ['web', { resource: app.url }] });
  await bench.rule({ name: 'out', from: ['service', { target_url: 'http://127.0.0.1:9000/echo', node_name: NODE }], to: ['web', { resource: app.url }] });
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
  app.server.close();
  app.server.closeAllConnections();
});

describe('the messages of CloudCore\'s router, byte for byte but for ids and times', () => {
  it('[minicloud-22.1] subscribe, when the rule is made', async () => {
    const wanted = recordedFrom('router_eventbus', 'subscribe');
    expect(plain(await node.waitFor(from('router_eventbus', 'subscribe', 'default/uptopic')))).toBe(plain(wanted));
    expect((await node.waitFor(from('router_servicebus', 'start', 'http://127.0.0.1:9000/echo'))).content).toBeNull();
  });

  it('[minicloud-22.2] publish, and the client hears that it was delivered', async () => {
    expect(await ask(at('to-topic'), { body: '{"message":"hello"}' })).toMatchObject({ status: 200, text: 'message delivered' });
    expect(plain(await node.waitFor(from('router_eventbus', 'publish', 'testtopic')))).toBe(plain(recordedFrom('router_eventbus', 'publish')));
    await ask(at('to-topic/a/b'), { body: 'x' });
    expect((await node.waitFor(from('router_eventbus', 'publish', 'testtopic/a/b'))).content).toBe('x');
  });

  it('[minicloud-22.3] a call of a service, and its answer reaches the client as it was', async () => {
    const [asked, replied] = [recordedFrom('router_servicebus', 'POST'), recordedFrom('servicebus', 'upload')];
    const { status_code: status, header, body } = replied.content as { status_code: number; header: Record<string, string[]>; body: string };
    node.onMessage = (message) => message.route.source === 'router_servicebus' && message.route.operation === 'POST' && void node.send({ ...replied.route, content: { status_code: status, header: { ...header, 'X-Own': ['1', '2'] }, body }, parentId: message.header.id });
    const { headers } = asked.content as { headers: never; header: Record<string, string[]> };
    const answer = await ask(at('to-service'), {
      body: '{"message":"svc"}', headers: { ...headers as object, Accept: '*/*', 'Content-Type': 'application/x-www-form-urlencoded', 'User-Agent': 'curl/7.88.1', 'Content-Length': '17', Connection: 'keep-alive' },
    });
    node.onMessage = () => undefined;
    expect(answer).toMatchObject({ status: 200, text: 'ok-9070', headers: { date: 'Sun, 22 Nov 2026 02:03:02 GMT', 'x-own': '1, 2', 'content-length': '7' } });
    const got = await node.waitFor(from('router_servicebus', 'POST', '9070:/echo'));
    const { Connection: _connection, ...others } = (got.content as { header: Record<string, string[]> }).header;
    expect(plain({ ...got, content: { ...(got.content as object), header: others } })).toBe(plain(asked));
  });

  it('[minicloud-22.4] what a topic of the node brings is posted to the application as it is', async () => {
    node.send({ ...recordedFrom('bus', 'upload').route, content: '{"up":1}' });
    await expect.poll(() => app.seen, { timeout: 30_000 }).toContain('{"up":1}');
    expect(app.heads[app.seen.indexOf('{"up":1}')]?.['content-type']).toBeUndefined();
  });

  it('[minicloud-22.5] what a program on the node says is posted undecoded, and the text of the answer goes back, whatever its status', async () => {
    const out = (content: string): Message => node.send({ source: 'servicebus', group: 'user', operation: 'upload', resource: 'http://127.0.0.1:9000/echo', content });
    for (const [content, text] of [['eyJ9', 'Hello World'], ['fail', 'bad']] as const) {
      const asked = out(content);
      const answer = await node.waitFor(({ header }) => header.parentId === asked.header.id);
      expect(answer).toMatchObject({ route: { source: 'servicebus', group: 'user', operation: 'response', resource: 'http://127.0.0.1:9000/echo' }, content: text });
      expect(app.seen).toContain(content);
    }
    const unknown = node.send({ source: 'servicebus', group: 'user', operation: 'upload', resource: 'http://else', content: '' });
    expect(await node.waitFor(({ header }) => header.parentId === unknown.header.id)).toMatchObject({ route: { operation: 'error' }, content: 'the cloud has no rule for http://else' });
  });

  it('[minicloud-22.6] unsubscribe and stop, when the last rule goes; two rules on one topic are one', async () => {
    const more = { from: ['mqtt', { topic: '/twice', node_name: NODE }], to: ['web', { resource: app.url }] } as const;
    await bench.rule({ name: 'twice-1', ...more });
    await bench.rule({ name: 'twice-2', from: ['mqtt', { topic: 'twice/', node_name: NODE }], to: more.to });
    await node.waitFor(from('router_eventbus', 'subscribe', 'default/twice'));
    await bench.end('twice-1');
    await bench.rule({ name: 'url', from: ['service', { target_url: 'http://h/x/', node_name: NODE }], to: ['web', { resource: app.url }] });
    await node.waitFor(from('router_servicebus', 'start', 'http://h/x/'));
    expect(node.received.filter(from('router_eventbus', 'subscribe', 'default/twice'))).toHaveLength(1);
    expect(node.received.some(from('router_eventbus', 'unsubscribe', 'default/twice'))).toBe(false);
    await bench.end('twice-2');
    await bench.end('url');
    await node.waitFor(from('router_eventbus', 'unsubscribe', 'default/twice'));
    await node.waitFor(from('router_servicebus', 'stop', 'http:/h/x'));
  });
});

describe('what goes wrong', () => {
  it('[minicloud-22.7] no rule: 404; a node that is not there: 500 after three attempts, with each reason; counted in the rule', async () => {
    expect(await ask(at('nothing'))).toMatchObject({ status: 404, text: expect.stringContaining('no rule is for /edge-1/default/nothing') as string });
    const why = 'node edge-9 is not connected to this cloud';
    expect(await ask(at('to-topic', 'edge-9'))).toMatchObject({ status: 500, text: `All attempts fail:\n#1: ${why}\n#2: ${why}\n#3: ${why}` });
    await expect.poll(() => bench.rules().find('down', 'default')?.status, { timeout: 30_000 }).toMatchObject({ failMessages: 3, successMessages: 2, errors: [why, why, why] });
  });

  it('[minicloud-22.8] a service that answers anything but 200 is asked three times, as by CloudCore; one that recovers is enough', async () => {
    const ids = new Set<string>();
    const answer = (status: number, when: (call: number) => boolean) => (message: Message): void => {
      if (message.route.source !== 'router_servicebus') return;
      ids.add(message.header.id);
      node.send({ source: 'servicebus', group: 'user', operation: 'upload', resource: '', parentId: message.header.id, content: { status_code: when(ids.size) ? 200 : status, header: null, body: Buffer.from(`call ${ids.size}`).toString('base64') } });
    };
    node.onMessage = answer(201, () => false);
    expect(await ask(at('to-service'))).toMatchObject({ status: 500, text: 'All attempts fail:\n#1: call 1\n#2: call 2\n#3: call 3' });
    ids.clear();
    node.onMessage = answer(503, (call) => call === 2);
    expect(await ask(at('to-service'))).toMatchObject({ status: 200, text: 'call 2' });
    node.onMessage = (message) => message.route.source === 'router_servicebus' && void node.send({ source: 'servicebus', group: 'user', operation: 'upload', resource: '', parentId: message.header.id, content: 'nonsense' });
    expect(await ask(at('to-service'))).toMatchObject({ status: 500, text: expect.stringContaining('something that is no answer') as string });
    node.onMessage = () => undefined;
  });

  it('[minicloud-22.9] a node that does not answer, an application that does not, and one that is not there: each in words, none holds up others', async () => {
    const silent = await application(() => undefined);
    await using own = await openCloud({ rulePauseMs: 10, ruleTimeoutMs: 200 });
    const quiet = await own.connect(NODE);
    const rules = await ruleBench(() => own.cloud);
    await rules.rule({ name: 'call', from: ['web', { path: '/s' }], to: ['service', { path: '/' }] });
    for (const [name, resource] of [['slow', silent.url], ['gone', `http://127.0.0.1:${await freePort()}/`]] as const) {
      await rules.rule({ name, from: ['service', { target_url: `http://${name}`, node_name: NODE }], to: ['web', { resource }] });
    }
    const asked = ask(`${own.cloud.routerUrl}/${NODE}/default/s`);
    const said = ['slow', 'gone'].map((name) => quiet.send({ source: 'servicebus', group: 'user', operation: 'upload', resource: `http://${name}`, content: 'x' }));
    const answers = await Promise.all(said.map(({ header }) => quiet.waitFor((message) => message.header.parentId === header.id)));
    expect(answers.map(({ route }) => route.operation)).toEqual(['error', 'error']);
    expect(answers.map(({ content }) => content)).toEqual([expect.stringMatching(/did not take it: no answer within 0.2 s \(after \d+ ms\)$/), expect.stringContaining('ECONNREFUSED')]);
    expect(await asked).toMatchObject({ status: 500, text: expect.stringContaining('#3: node edge-1 did not answer within 0.2 s') as string });
    silent.server.close();
    silent.server.closeAllConnections();
  });

  it('[minicloud-22.10] a body of more than 12 MiB: 413; one of as many passes, and what is no text becomes text', async () => {
    expect(await ask(at('to-topic'), { body: Buffer.alloc(12 * 1024 * 1024 + 1) })).toMatchObject({ status: 413 });
    expect(await ask(at('to-topic/big'), { body: Buffer.alloc(12 * 1024 * 1024, 'x') })).toMatchObject({ status: 200 });
    await ask(at('to-topic/bytes'), { body: Buffer.from([0x61, 0xff]) });
    expect((await node.waitFor(from('router_eventbus', 'publish', 'testtopic/bytes'))).content).toBe('a\ufffd');
  });

  it('[minicloud-22.11] another node\'s answer and messages count for nothing', async () => {
    const other = await fixture.connect('edge-2');
    const before = app.seen.length;
    other.send({ source: 'bus', group: 'user', operation: 'upload', resource: 'default/uptopic', content: 'forged' });
    const away = new AbortController();
    const asked = ask(at('to-service/forged'), { signal: away.signal });
    const call = await node.waitFor(from('router_servicebus', 'POST', '9070:/echo/forged'));
    const reply = (text: string) => ({ source: 'servicebus', group: 'user', operation: 'upload', resource: '', parentId: call.header.id, content: { status_code: 200, header: {}, body: Buffer.from(text).toString('base64') } });
    other.send(reply('forged'));
    await other.ask('query', 'default/configmap/none');
    node.send(reply('true'));
    expect((await asked).text).toBe('true');
    expect(app.seen.length).toBe(before);
  });

  it('[minicloud-22.12] nonsense at the REST side ends its own connection alone', async () => {
    const { port } = new URL(fixture.cloud.routerUrl);
    const bytes = ['\0\0\0', 'GET\r\n\r\n', 'POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n', `GET /${'x'.repeat(40_000)} HTTP/1.1\r\n\r\n`, 'POST /edge-1/default/to-topic HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'];
    await Promise.all(bytes.map(async (text) => {
      const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
      socket.resume().end(text);
      await once(socket, 'close');
    }));
    for (const uri of ['/', '//', '/edge-1', '/edge-1/default', '/%', '/edge-1//to-topic']) expect((await ask(`${fixture.cloud.routerUrl}${uri}`)).status).toBe(404);
    expect(await ask(at('to-topic'), { body: 'still' })).toMatchObject({ status: 200 });
  });
});

it('[minicloud-22.13] a node that was away is told again with each connect, also after a restart of the cloud; changed rules hold at once', async () => {
  await using own = await openCloud({ rulePauseMs: 10 });
  const rules = await ruleBench(() => own.cloud);
  await rules.rule({ name: 'up', from: ['mqtt', { topic: 'a', node_name: NODE }], to: ['web', { resource: app.url }] });
  const first = await own.connect(NODE);
  await first.waitFor(from('router_eventbus', 'subscribe', 'default/a'));
  await own.restart();
  const second = await own.connect(NODE);
  await second.waitFor(from('router_eventbus', 'subscribe', 'default/a'));
  await rules.rules().modify('up', 'default', (rule) => {
    (rule as unknown as { spec: { sourceResource: { topic: string } } }).spec.sourceResource.topic = 'b';
  });
  await second.waitFor(from('router_eventbus', 'unsubscribe', 'default/a'));
  await second.waitFor(from('router_eventbus', 'subscribe', 'default/b'));
  await rules.endpoints().delete('web', 'default');
  await second.waitFor(from('router_eventbus', 'unsubscribe', 'default/b'));
});

describe('rules that make no sense', () => {
  it.each([
    ['a source that is not there', ['none', { path: '/x' }], ['mqtt', { topic: 't' }], 'RuleEndpoint "none" has not been created'],
    ['a target that is not there', ['web', { path: '/x' }], ['none', {}], 'RuleEndpoint "none" has not been created'],
    ['a way that there is not', ['web', { path: '/x' }], ['web', { resource: 'http://a' }], 'no rule leads from rest to rest'],
    ['no path', ['web', {}], ['mqtt', { topic: 't' }], 'spec.sourceResource.path'],
    ['no topic', ['web', { path: '/x' }], ['mqtt', {}], 'spec.targetResource.topic'],
    ['no node', ['mqtt', { topic: 't' }], ['web', { resource: 'http://a' }], 'spec.sourceResource.node_name'],
    ['no URL', ['service', { node_name: 'n' }], ['web', { resource: 'http://a' }], 'spec.sourceResource.target_url'],
    ['somebody else\'s path', ['web', { path: '/to-topic' }], ['mqtt', { topic: 't' }], 'rule "down" has the same source'],
    ['somebody else\'s topic', ['mqtt', { topic: 'uptopic', node_name: NODE }], ['web', { resource: 'http://a' }], 'rule "up" has the same source'],
  ] as const)('[minicloud-22.14] %s', async (_what, source, target, words) => {
    await expect(bench.rule({ name: 'bad', from: source as never, to: target as never })).rejects.toThrowError(words);
  });

  it.each([
    ['rest2', undefined, 'ruleEndpointType'], ['servicebus', undefined, 'service_port'], ['servicebus', { service_port: '0' }, 'no port from 1 to 65535'], ['servicebus', { service_port: 'x' }, 'no port'],
  ] as const)('[minicloud-22.15] an endpoint of type %s with %j', async (type, properties, words) => {
    await expect(bench.endpoint('bad', type, properties)).rejects.toThrowError(words);
  });
});
