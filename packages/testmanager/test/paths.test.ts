import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { freePort, runModule, type PlayedModule, type RunningModule } from '@edge/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseTestManagerConfig } from '../src/config.js';
import { testmanager } from '../src/index.js';

const run = promisify(execFile);
let module: RunningModule;
let meta: PlayedModule;
let twin: PlayedModule;
let port = 0;
const kubelet = createServer((request, response) => {
  const knows = request.headers.authorization === 'Bearer secret' && request.url === '/pods';
  response.writeHead(knows ? 200 : 401).end('{"kind":"PodList","items":[]}');
});

beforeAll(async () => {
  kubelet.listen(0, '127.0.0.1');
  await once(kubelet, 'listening');
  port = await freePort();
  module = await runModule(testmanager, {
    config: { modules: { dbTest: { enable: true } }, edge: { testManager: { port } } },
    neighbours: (bus) => {
      meta = bus.play('metamanager', 'meta');
      twin = bus.play('twin', 'twin');
      bus.play('edged', 'edged', () => ({ host: '127.0.0.1', port: (kubelet.address() as AddressInfo).port, token: 'secret' }));
    },
  });
});
afterAll(async () => {
  await module.stop();
  kubelet.close();
  kubelet.closeAllConnections();
});

/** Body and status, as the command shows them. */
async function curl(method: string, path: string, body?: string | object, ...more: string[]): Promise<{ status: number; text: string }> {
  const data = body === undefined ? [] : ['--data-binary', typeof body === 'string' ? body : JSON.stringify(body)];
  const { stdout } = await run('curl', ['--silent', '--max-time', '60', '-w', '\n%{http_code}', '-X', method, ...data, ...more, `http://127.0.0.1:${port}${path}`]);
  const at = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(at + 1)), text: stdout.slice(0, at) };
}

it.each([['POST', 'insert'], ['PUT', 'update'], ['DELETE', 'delete']])('[testmanager-1.1] %s of a pod goes to metamanager as %s of the edge controller', async (method, operation) => {
  const pod = { metadata: { name: `p-${operation}`, namespace: 'ns', uid: 'u1' }, spec: { containers: [] } };
  expect(await curl(method, '/pods', pod)).toEqual({ status: 200, text: '' });
  expect(await meta.next(({ route }) => route.resource === `ns/pod/p-${operation}`, 30_000)).toMatchObject({ route: { source: 'edgecontroller', group: 'resource', operation }, content: pod });
});

it('[testmanager-1.2] a pod without a namespace is in default; secrets and config maps go by their uid into the fake namespace', async () => {
  await curl('POST', '/pods', { metadata: { name: 'plain' } });
  await curl('POST', '/secret', { metadata: { name: 's', uid: 'su' }, data: { a: 'YQ==' } });
  await curl('PUT', '/configmap', { metadata: { name: 'c', uid: 'cu' }, data: { a: 'b' } });
  for (const [operation, resource] of [['insert', 'default/pod/plain'], ['insert', 'fakeNamespace/secret/su'], ['update', 'fakeNamespace/configmap/cu']] as const) {
    expect((await meta.next(({ route }) => route.resource === resource, 30_000)).route).toMatchObject({ source: 'edgecontroller', group: 'resource', operation });
  }
});

it('[testmanager-1.3] a membership goes to the twin as upstream\'s', async () => {
  const update = { added_devices: [{ id: 'default/dev1', name: 'dev1', twin: {} }], removed_devices: null };
  expect(await curl('PUT', '/devices', update, '-H', 'content-type: application/json')).toEqual({ status: 200, text: '' });
  expect(await twin.next(({ route }) => route.resource === 'membership', 30_000)).toMatchObject({ route: { source: 'edgemgr', group: 'edgehub', operation: 'update' }, content: update });
});

it('[testmanager-1.4] GET of pods is what the node\'s kubelet API says', async () => {
  expect(await curl('GET', '/pods')).toEqual({ status: 200, text: '{"kind":"PodList","items":[]}' });
});

it.each([
  ['POST', '/pods', '{', 400], ['POST', '/pods', '[]', 400], ['POST', '/pods', '{}', 400], ['POST', '/secret', '{"metadata":{"uid":"a/b"}}', 400], ['GET', '/devices', undefined, 405], ['PATCH', '/pods', '{}', 405], ['GET', '/secrets', undefined, 404],
] as const)('[testmanager-1.5] %s %s with %s: %i, and nobody is told', async (method, path, body, status) => {
  const before = meta.received.length + twin.received.length;
  expect((await curl(method, path, body)).status).toBe(status);
  expect(meta.received.length + twin.received.length).toBe(before);
});

it('[testmanager-1.6] takes nothing from web pages, listens on the loopback alone, is off unless told, and says that it is on', async () => {
  expect((await curl('POST', '/pods', '{"metadata":{"name":"x"}}', '-H', 'Origin: http://evil.example')).status).toBe(403);
  expect((await curl('POST', '/pods', '{"metadata":{"name":"x"}}', '-H', 'Host: evil.example')).status).toBe(403);
  expect(parseTestManagerConfig(undefined)).toEqual({ enable: false, port: 12_345 });
  expect(() => parseTestManagerConfig({ enable: 'yes' })).toThrowError('modules.dbTest.enable is "yes", it must be true or false');
  expect(module.lines).toContainEqual(expect.objectContaining({ level: 'warn', message: expect.stringContaining('the test module is on') as string, fields: { at: `127.0.0.1:${port}` } }));
});
