import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createErrorResponse, type KubeObject, type Message } from '@edge/protocol';
import { afterEach, expect, it } from 'vitest';
import { eventually, object, Scene } from './scene.js';

const PODS = '/api/v1/namespaces/default/pods';
const KEADM = { 'User-Agent': 'keadm/v1.23.1 (linux/amd64) kubernetes/0000000' };

/** edged as metaserver sees it: a local kubelet API, and answers to messages. */
class FakeEdged {
  readonly asked: string[] = [];
  readonly messages: Message[] = [];
  readonly tokens: (string | undefined)[] = [];
  answer: { status: number; body: string } = { status: 200, body: 'one\ntwo\n' };
  closed = 0;
  #server: Server | undefined;

  async open(): Promise<this> {
    const server = createServer((request, response) => {
      this.#note(request);
      response.on('close', () => (this.closed += 1));
      response.writeHead(this.answer.status, { 'Content-Type': 'text/plain' });
      response.write(this.answer.body);
      if (!request.url?.includes('follow=true')) response.end();
    });
    // Plays a stream: says the path, then gives back what comes.
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#note(request);
      socket.on('error', () => undefined);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\nX-Other: kept\r\n\r\n`);
      socket.write(head);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
    return this;
  }

  readonly script = (message: Message): unknown => {
    this.messages.push(message);
    if (message.route.resource === 'kubelet/endpoint') {
      if (this.#server === undefined) return createErrorResponse(message, 'the local kubelet API is switched off', { source: 'edged' });
      return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port, token: 'secret' };
    }
    return message.route.operation === 'update' ? { LogMessages: ['done'] } : undefined;
  };

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise<void>((resolve) => (this.#server ? this.#server.close(() => resolve()) : resolve()));
    this.#server = undefined;
  }

  #note(request: IncomingMessage): void {
    this.asked.push(`${request.method} ${request.url}`);
    this.tokens.push(request.headers.authorization);
  }
}

const pod = (name: string, over: Record<string, unknown> = {}, names: readonly string[] = ['main']): KubeObject =>
  object('Pod', name, 5, { spec: { nodeName: 'edge-1', containers: names.map((container) => ({ name: container })) }, ...over });
const annotated = (annotations: object) => ({ metadata: { annotations } });

let edged: FakeEdged;
afterEach(() => edged.close());
const open = async (...objects: KubeObject[]): Promise<Scene> => {
  edged = await new FakeEdged().open();
  return Scene.open({ objects, edged: edged.script, node: 'edge-1' });
};

it('[metaserver-30.1] gives logs as text, with what was asked for, from the container that is meant; a client that goes ends it', async () => {
  const usual = 'kubectl.kubernetes.io/default-container';
  await using scene = await open(pod('web'), pod('two', {}, ['a', 'b']), pod('usual', annotated({ [usual]: 'b' }), ['a', 'b']));
  const log = await scene.call('GET', `${PODS}/web/log?tailLines=2&sinceTime=2026-01-01T00%3A00%3A00Z&previous=true&pretty=x&insecureSkipTLSVerifyBackend=true`, undefined, { Authorization: 'Bearer of-the-client' });
  expect(log).toMatchObject({ code: 200, text: 'one\ntwo\n', headers: { 'content-type': 'text/plain; charset=utf-8' } });
  expect(edged.asked).toEqual(['GET /containerLogs/default/web/main?tailLines=2&sinceTime=2026-01-01T00%3A00%3A00Z&previous=true']);
  expect(edged.tokens).toEqual(['Bearer secret']);
  expect(await scene.call('GET', `${PODS}/two/log`)).toMatchObject({ code: 400, json: { reason: 'BadRequest', message: 'a container name must be specified for pod two, choose one of: [a b]' } });
  expect(await scene.call('GET', `${PODS}/two/log?container=c`)).toMatchObject({ code: 400, json: { message: expect.stringContaining('container c is not valid for pod two') } });
  expect((await scene.call('GET', `${PODS}/usual/log`)).code).toBe(200);
  expect(edged.asked.at(-1)).toBe('GET /containerLogs/default/usual/b?');

  const closed = edged.closed;
  const followed = await scene.open('GET', `${PODS}/web/log?follow=true`);
  await new Promise((resolve) => followed.once('data', resolve));
  followed.destroy();
  await eventually(() => edged.closed === closed + 1);
});

it('[metaserver-30.2] says why there is no log: edged\'s words as a Status, pods of other nodes and of none, no kubelet API', async () => {
  await using scene = await open(pod('web'), pod('away', { spec: { nodeName: 'edge-2', containers: [{ name: 'c' }] } }), pod('idle', { spec: { containers: [{ name: 'c' }] } }));
  for (const [status, body, reason] of [[400, 'is waiting to start\n', 'BadRequest'], [404, '{"message":"not there"}', 'NotFound'], [500, '', 'InternalError']] as const) {
    edged.answer = { status, body };
    expect(await scene.call('GET', `${PODS}/web/log`)).toMatchObject({ code: status, json: { kind: 'Status', reason } });
  }
  expect(await scene.call('GET', `${PODS}/away/log`)).toMatchObject({ code: 400, json: { message: expect.stringContaining('runs on node "edge-2"') } });
  expect(await scene.call('GET', `${PODS}/idle/log`)).toMatchObject({ code: 400, json: { message: expect.stringContaining('not assigned to a node') } });
  expect(await scene.call('GET', `${PODS}/none/log`)).toMatchObject({ code: 404 });
  expect(await scene.call('DELETE', `${PODS}/web/log`)).toMatchObject({ code: 405 });
  await edged.close();
  expect(await scene.call('GET', `${PODS}/web/log`)).toMatchObject({ code: 503, json: { message: expect.stringContaining('switched off') } });
});

it('[metaserver-30.3] passes upgrades on byte for byte, both ways, with the kubelet\'s names of the streams and its token', async () => {
  await using scene = await open(pod('web'));
  const through = async (path: string, method = 'POST'): Promise<string> => {
    const asked = httpRequest({ host: '127.0.0.1', port: scene.port, method, path, agent: false, headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'v4.channel.k8s.io', Authorization: 'Bearer mine' } });
    asked.end();
    const socket = await new Promise<Socket>((resolve, reject) => {
      asked.on('upgrade', (answer, upgraded) => {
        expect([answer.headers.upgrade, answer.headers['x-other']]).toEqual(['SPDY/3.1', 'kept']);
        resolve(upgraded as Socket);
      });
      asked.on('response', (answer) => reject(new Error(`answered ${answer.statusCode}`)));
      asked.on('error', reject);
    });
    const pieces: Buffer[] = [];
    const back = new Promise<void>((resolve) => socket.on('data', (piece) => pieces.push(piece)).on('end', resolve));
    socket.end(Buffer.from([0, 255, 128, 10]));
    await back;
    return Buffer.concat(pieces).toString('hex');
  };
  expect(await through(`${PODS}/web/exec?command=sh&command=-c&command=a%20b%26c&stdin=true&stdout=true&stderr=false&tty=true`)).toBe('00ff800a');
  expect(await through(`${PODS}/web/attach?stdout=true&stderr=true&container=main`, 'GET')).toBe('00ff800a');
  expect(await through(`${PODS}/web/portforward?ports=80&ports=81`)).toBe('00ff800a');
  expect(edged.asked).toEqual([
    'POST /exec/default/web/main?input=1&output=1&tty=1&command=sh&command=-c&command=a+b%26c', 'GET /attach/default/web/main?output=1&error=1', 'POST /portForward/default/web?port=80&port=81',
  ]);
  expect(new Set(edged.tokens)).toEqual(new Set(['Bearer secret']));
  await expect(through(`${PODS}/none/exec?command=ls`)).rejects.toThrow('answered 404');
  expect(await scene.call('POST', `${PODS}/web/attach`)).toMatchObject({ code: 400 });
});

it('[metaserver-30.4] upstream\'s client gets a log as JSON unless it follows, and a command\'s output in one answer', async () => {
  await using scene = await open(pod('web'));
  edged.answer = { status: 200, body: 'ä "quoted" \\ \u0001\n' };
  expect(await scene.call('GET', `${PODS}/web/log`, undefined, KEADM)).toMatchObject({ code: 200, json: { logMessages: [edged.answer.body] }, headers: { 'content-type': 'application/json' } });
  expect((await scene.call('GET', `${PODS}/web/log`, undefined, { 'User-Agent': 'kubectl/v1.20.2' })).text).toBe(edged.answer.body);
  expect(await scene.call('POST', `${PODS}/web/exec?command=ls&command=-l`)).toMatchObject({ code: 200, json: { LogMessages: ['done'] } });
  expect(edged.messages.at(-1)).toMatchObject({ route: { operation: 'update', resource: 'pods/exec' }, content: { namespace: 'default', pod: 'web', container: 'main', command: ['ls', '-l'] } });
  expect(await scene.call('POST', `${PODS}/web/exec?command=ls&tty=true`)).toMatchObject({ code: 400 });
  expect(await scene.call('POST', `${PODS}/web/exec`)).toMatchObject({ code: 400 });
});

it('[metaserver-31.1] restarts pods by a message, and answers as upstream', async () => {
  await using scene = await open();
  expect(await scene.call('POST', `${PODS}/restart`, '["web","db"]')).toMatchObject({ code: 200, json: { LogMessages: ['done'] }, headers: { 'content-type': 'application/json' } });
  expect(edged.messages.at(-1)).toMatchObject({ route: { source: 'metaserver', operation: 'update', resource: 'pods/restart' }, content: { namespace: 'default', pods: ['web', 'db'] } });
  for (const body of ['web', '{}', '[1]', '']) expect((await scene.call('POST', `${PODS}/restart`, body)).code).toBe(500);
});

it('[metaserver-31.2] releases held pods by upstream\'s message, one or all of a node, and nothing else', async () => {
  const hold = annotated({ 'edge.kubeedge.io/hold-upgrade': 'true' });
  await using scene = await open(
    pod('held', hold), pod('other', { ...hold, status: { phase: 'Pending' } }), pod('runs', { ...hold, status: { phase: 'Running' } }), pod('free'),
    pod('away', { ...hold, spec: { nodeName: 'edge-2', containers: [] } }),
  );
  const post = async (path: string, body: string): Promise<[number, string]> => {
    const { code, text } = await scene.call('POST', `/api/v1/${path}`, body, { 'Content-Type': 'text/plain' });
    return [code, text];
  };
  const released = (): string[] => edged.messages.filter(({ route }) => route.operation === 'unhold-upgrade').map(({ route }) => `${route.source} ${route.resource}`);
  expect(await post('pods/unhold-upgrade', 'default/held')).toEqual([200, '']);
  await eventually(() => released().length === 1);
  expect(released()).toEqual(['metamanager default/pod/held']);
  expect(await post('pods/unhold-upgrade', 'held')).toEqual([400, 'invalid format, expected <namespace>/<name>\n']);
  expect(await post('pods/unhold-upgrade', 'default/free')).toEqual([400, 'pod is not marked with hold-upgrade annotation\n']);
  expect(await post('pods/unhold-upgrade', 'default/runs')).toEqual([400, 'pod is not in pending phase\n']);
  expect(await post('pods/unhold-upgrade', 'default/none')).toEqual([404, expect.stringMatching(/^pod not found: /)]);
  expect(await post('nodes/unhold-upgrade', 'edge-1')).toEqual([200, '']);
  await eventually(() => released().length === 3);
  expect(released().slice(1).sort()).toEqual(['metamanager default/pod/held', 'metamanager default/pod/other']);
});

it('[metaserver-31.3] confirms an upgrade where the task manager has one, else there is none', async () => {
  await using scene = await open();
  const confirm = async (): Promise<[number, string]> => {
    const { code, text } = await scene.call('POST', '/api/v1/taskupgrade/confirm-upgrade');
    return [code, text];
  };
  expect(await confirm()).toEqual([400, 'there are no valid upgrade tasks to execute\n']);
  let confirmed = true;
  scene.running.bus.play('taskmanager', 'taskmanager', ({ route }) => (route.resource === 'upgrade/confirm' ? { confirmed } : undefined));
  expect(await confirm()).toEqual([200, '']);
  confirmed = false;
  expect((await confirm())[0]).toBe(400);
});

it('[metaserver-31.4] what concerns the whole node is not to be had below a namespace, where a right in that one would do', async () => {
  await using scene = await open(pod('held', annotated({ 'edge.kubeedge.io/hold-upgrade': 'true' })));
  scene.running.bus.play('taskmanager', 'taskmanager', ({ route }) => (route.resource === 'upgrade/confirm' ? { confirmed: true } : undefined));
  for (const [path, body] of [['nodes/unhold-upgrade', 'edge-1'], ['pods/unhold-upgrade', 'default/held'], ['taskupgrade/confirm-upgrade', '']] as const) {
    const { code } = await scene.call('POST', `/api/v1/namespaces/default/${path}`, body, { 'Content-Type': 'text/plain' });
    expect([path, code >= 400]).toEqual([path, true]);
  }
  expect(edged.messages.filter(({ route }) => route.operation === 'unhold-upgrade')).toEqual([]);
  for (const method of ['GET', 'DELETE']) expect((await scene.call(method, '/apis/edge.kubeedge.io/v1/namespaces/default/waiting/1')).code).toBe(404);
  expect((await scene.call('GET', '/apis/edge.kubeedge.io/v1/namespaces/default/waiting')).code).toBe(404);
});
