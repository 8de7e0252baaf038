import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { TestServer } from './helpers.js';

const MAPS = '/api/v1/namespaces/default/configmaps';
const MEBI = 1024 * 1024;

/** Writes bytes on a connection of their own; resolves with everything that came until the server closed it, or with what was there when `enough`. */
function raw(server: TestServer, bytes: string | Buffer, enough: (text: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(server.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (enough(text)) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
    socket.write(bytes);
  });
}

describe('bodies and bytes made to harm', () => {
  it.each([
    ['deep JSON', 'POST', 'application/json', '['.repeat(3 * MEBI - 1)],
    ['deep objects', 'POST', 'application/json', '{"a":'.repeat(MEBI / 2)],
    ['deep YAML', 'POST', 'application/yaml', '- '.repeat(MEBI)],
    ['a copy of a copy', 'PATCH', 'application/json-patch+json', JSON.stringify(Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '/data', path: `/data/x${i}` })))],
    ['a copy of much', 'PATCH', 'application/json-patch+json', JSON.stringify([{ op: 'add', path: '/data', value: { a: 'x'.repeat(MEBI) } }, ...Array.from({ length: 19 }, (_, i) => ({ op: 'copy', from: '/data', path: `/data/x${i}` }))])],
    ['many steps', 'PATCH', 'application/json-patch+json', JSON.stringify(Array.from({ length: 20_000 }, () => ({ op: 'test', path: '/kind', value: 'ConfigMap' })))],
    ['a patch without body', 'PATCH', 'application/merge-patch+json', ''],
    ['an unknown type', 'POST', 'text/html; charset=\u00ff', '<p>'],
    ['half a text', 'PUT', 'application/json', '{"metadata":{"name":"a'],
    ['half Protobuf', 'POST', 'application/vnd.kubernetes.protobuf', 'k8s\0\n\u007f\u007f\u007f'],
  ])('[kubeapi-14.5] %s is refused with a Status, and the server goes on', async (_what, method, type, body) => {
    await using server = await TestServer.start();
    await server.api.resource('v1', 'configmaps').create({ metadata: { name: 'a', namespace: 'default' }, data: { a: 'b' } });
    const answer = await server.call(method, method === 'POST' ? MAPS : `${MAPS}/a`, Buffer.from(body, 'latin1'), { 'Content-Type': type.replace('\u00ff', 'x') });
    expect(answer.code).toBeGreaterThanOrEqual(400);
    expect(answer.code).toBeLessThan(500);
    expect(answer.json).toMatchObject({ kind: 'Status', status: 'Failure', code: answer.code });
    expect((await server.call('GET', '/readyz')).text).toBe('ok');
    expect(server.errors).toEqual([]);
  });

  it('[kubeapi-14.6] thousands of labels, selectors of many terms and parameters that come twice are answered', async () => {
    await using server = await TestServer.start();
    const labels = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`label-${i}`, `v${i}`]));
    expect((await server.call('POST', MAPS, { metadata: { name: 'many', labels } })).code).toBe(201);
    const terms = Array.from({ length: 800 }, (_, i) => `label-${i}`).join(',');
    expect((await server.call('GET', `${MAPS}?labelSelector=${terms}`)).json.items).toHaveLength(1);
    expect((await server.call('GET', `${MAPS}?labelSelector=label-1+in+(${terms})`)).json.items).toHaveLength(0);
    expect((await server.call('GET', `${MAPS}?limit=1&limit=zzz&watch=0&watch=1`)).code).toBe(200);
    expect((await server.call('GET', `${MAPS}?${'a=b&'.repeat(3000)}`)).code).toBe(200);
    expect(server.errors).toEqual([]);
  });

  it('[kubeapi-14.7] bytes that are no HTTP are answered with a Status and close their own connection only; paths do not escape the API', async () => {
    await using server = await TestServer.start();
    const good = 'GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n';
    for (const garbage of ['\0\0\0\0\r\n\r\n', 'GET /\u0000 HTTP/1.1\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'NONSENSE /api HTTP/1.1\r\n\r\n', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 'GET /api HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 'POST /api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nzzzzz', 'GET /api HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n', '\u0016\u0003\u0001\u0002\0\u0001']) {
      const text = await raw(server, Buffer.from(garbage, 'latin1'));
      expect(text, garbage.slice(0, 40)).toMatch(/^HTTP\/1\.1 4\d\d [^]*"kind":"Status"/);
    }
    const pipelined = await raw(server, good.repeat(50), (text) => text.split('200 OK').length === 51);
    expect(pipelined.split('200 OK')).toHaveLength(51);
    for (const target of ['/api/v1/../../etc/passwd', '/api/v1/%2e%2e/%2e%2e/etc/passwd', '/api/v1/namespaces/default/pods/%00', '/api/v1/pods/%2F', '//api', '/api/v1/namespaces/..%2f..%2f', 'http://other/api', '*', '/%zz', '/apis/apps//', '/api//pods', '/api/v1/pods?watch=%zz', '/api/v1/pods;x=1']) {
      const text = await raw(server, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(text, target).toMatch(/^HTTP\/1\.1 4\d\d [^]*"kind":"Status"/);
    }
    expect((await server.call('GET', '/readyz')).text).toBe('ok');
    expect(server.errors).toEqual([]);
  });
});
