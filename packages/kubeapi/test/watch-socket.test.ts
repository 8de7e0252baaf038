import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { podDraft, TestServer, type WatchLine } from './helpers.js';

const PODS = '/api/v1/namespaces/default/pods';
const MAPS = '/api/v1/namespaces/default/configmaps';

interface Watching {
  readonly socket: WebSocket;
  readonly events: WatchLine[];
  readonly closed: Promise<unknown>;
}

function watch(server: TestServer, path: string, options: { protocols?: string[]; origin?: string } = {}): Watching {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}`, options.protocols ?? [], options.origin === undefined ? {} : { origin: options.origin });
  const events: WatchLine[] = [];
  socket.on('message', (text: Buffer, isBinary) => {
    expect(isBinary).toBe(false);
    events.push(JSON.parse(text.toString('utf8')) as WatchLine);
  });
  const closed = once(socket, 'close').catch(() => undefined);
  return { socket, events, closed };
}

/** Code and body of a handshake that is refused. */
async function refusal(server: TestServer, path: string, options: { origin?: string } = {}): Promise<{ code: number; json: unknown }> {
  const { socket } = watch(server, path, options);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, AsyncIterable<Buffer> & { statusCode: number }];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { code: response.statusCode, json: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
}

async function until(check: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000 && !check(); i += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(check()).toBe(true);
}

describe('watch over WebSocket', () => {
  it('[kubeapi-13.1] sends each change once, one event a message, and ends at its time-out with a bookmark', async () => {
    await using server = await TestServer.start();
    await server.call('POST', PODS, podDraft('before'));
    const { events, socket, closed } = watch(server, `${PODS}?watch=1`);
    await until(() => events.length === 1);
    await server.call('POST', PODS, podDraft('p'));
    await server.call('DELETE', `${PODS}/p`);
    await until(() => events.length === 3);
    expect(events.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual(['ADDED before', 'ADDED p', 'DELETED p']);
    socket.close();
    await closed;
    const brief = watch(server, `${PODS}?watch=1&resourceVersion=${server.store.resourceVersion}&allowWatchBookmarks=true&timeoutSeconds=1`);
    await brief.closed;
    expect(brief.events).toMatchObject([{ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(server.store.resourceVersion) } } }]);
    await until(() => server.server.watches === 0);
    expect(server.errors).toEqual([]);
  });

  it('[kubeapi-13.2] tells of a version that is gone as over HTTP, refuses what is no watch before the handshake, and pages of other sites', async () => {
    await using server = await TestServer.start({}, [], 3);
    const maps = server.api.resource('v1', 'configmaps');
    for (let i = 0; i < 10; i += 1) await maps.create({ metadata: { name: `m${i}`, namespace: 'default' } });
    const old = watch(server, `${MAPS}?watch=true&resourceVersion=2`);
    await old.closed;
    expect(old.events).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }]);
    expect(await refusal(server, '/api/v1/namespaces/default/nonsense?watch=1')).toMatchObject({ code: 404, json: { kind: 'Status' } });
    expect(await refusal(server, MAPS)).toMatchObject({ code: 400, json: { kind: 'Status' } });
    expect(await refusal(server, `${MAPS}?watch=maybe`)).toMatchObject({ code: 400, json: { reason: 'BadRequest' } });
    expect(await refusal(server, `${MAPS}?watch=1`, { origin: 'http://evil.example' })).toMatchObject({ code: 403, json: { reason: 'Forbidden' } });
    const own = watch(server, `/api/v1/watch/namespaces/default/configmaps/m1`, { origin: server.url, protocols: ['base64url.bearer.authorization.k8s.io.dG9rZW4', 'binary.k8s.io'] });
    await until(() => own.events.length === 1);
    expect(own.socket.protocol).toBe('binary.k8s.io');
    own.socket.close();
    await own.closed;
    await until(() => server.server.watches === 0);
  });

  it('[kubeapi-13.3] cuts a watcher that does not read', async () => {
    await using server = await TestServer.start({ watchBufferBytes: 1024 * 1024 });
    const lazy = watch(server, `${MAPS}?watch=1`);
    await once(lazy.socket, 'open');
    lazy.socket.pause();
    await until(() => server.server.watches === 1);
    const maps = server.api.resource('v1', 'configmaps');
    for (let i = 0; i < 400 && server.server.watches === 1; i += 1) {
      await maps.create({ metadata: { name: `m${i}`, namespace: 'default' }, data: { big: 'x'.repeat(100_000) } });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await until(() => server.server.watches === 0);
    lazy.socket.terminate();
  });

  it('[kubeapi-13.4] answers a request that offers another protocol, such as h2c, as if it had not, body included', async () => {
    await using server = await TestServer.start();
    const socket = connect(server.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => { text += chunk.toString('utf8'); });
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQBAAAAAAIAAAAA\r\n\r\n');
    await until(() => text.includes('200 OK') && text.endsWith('ok'));
    text = '';
    const body = JSON.stringify(podDraft('p'));
    const head = `POST ${PODS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`;
    socket.write(head + body.slice(0, 10));
    await new Promise((resolve) => setImmediate(resolve));
    socket.write(body.slice(10));
    await until(() => text.includes('201 Created'));
    expect(server.api.resource('v1', 'pods').find('p', 'default')).toBeDefined();
    // However often: a connection that gathered listeners would make Node.js warn.
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', onWarning);
    for (let i = 0; i < 15; i += 1) {
      text = '';
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
      await until(() => text.includes('200 OK') && text.endsWith('ok'));
    }
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
    socket.destroy();
  });
});
