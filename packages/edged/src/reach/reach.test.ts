import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { createTestCa } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeStatus, encodeRequest } from './grpc.js';
import { isPlainAnswer } from './http.js';
import { network } from './network.js';
import { httpCall, portNumber } from './target.js';

const never = new AbortController().signal;
const servers: TcpServer[] = [];
afterAll(() => servers.forEach((server) => server.close()));

async function listen(server: TcpServer): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const answers: RequestListener = (request, response) => {
  const send = (status: number, headers: Record<string, string> = {}, body = ''): void => void response.writeHead(status, headers).end(body);
  switch (request.url) {
    case '/here':
      return send(302, { location: '/moved' });
    case '/away':
      return send(302, { location: 'http://elsewhere.invalid/' }, 'over there');
    case '/lost':
      return send(301);
    case '/loop':
      return send(302, { location: '/loop' });
    case '/big':
      return send(200, {}, 'x'.repeat(100_000));
    case '/silent':
      return;
    case '/begun':
      response.writeHead(200).write('one');
      return;
    case '/broken':
      response.writeHead(200, { 'content-length': '10' }).write('one');
      request.socket.destroy();
      return;
    case '/lenient':
      request.socket.end('HTTP/1.1 200 OK\nX-Odd: a\x01b\n\nok');
      return;
    default:
      send(request.url === '/bad' ? 503 : 200, {}, `${request.url} ${JSON.stringify(request.headers)}`);
  }
};

describe('requests of probes', () => {
  let port = 0;
  let web: Server;
  const get = (path: string, timeoutMs = 20_000, headers: [string, string][] = []) => network.http({ url: `http://127.0.0.1:${port}${path}`, headers }, timeoutMs, never);
  beforeAll(async () => {
    web = createServer(answers);
    port = await listen(web);
  });

  it('[edged-20.30] send the headers that are asked for, each connection used once', async () => {
    const call = httpCall({ port, host: '127.0.0.1', path: 'a b?q=1#part', httpHeaders: [{ name: 'Host', value: 'shop.example' }, { name: 'X-A', value: '1' }, { name: 'X-A', value: '2' }, { name: 'accept', value: '' }] }, {}, undefined, 'probe');
    const { body } = await network.http(call, 20_000, never);
    expect(body).toMatch(/^\/a%20b\?q=1 /);
    expect(JSON.parse(body.slice(body.indexOf('{')))).toEqual({ 'user-agent': 'kube-probe/1.32', host: 'shop.example', 'x-a': '1, 2', connection: 'close' });
  });

  it.each([
    ['/bad', 503],
    ['/here', 200],
    ['/away', 302],
    ['/lost', 301],
    ['/lenient', 200],
  ])('[edged-20.31] %s is answered with %i: redirects are followed on the same host alone', async (path, status) => {
    expect((await get(path)).status).toBe(status);
  });

  it('[edged-20.32] read ten kilobytes of an answer and no more', async () => {
    expect((await get('/big')).body).toHaveLength(10 * 1024);
  });

  it.each([
    ['/silent', 200, 'edged.probe-timeout', /context deadline exceeded/],
    ['/begun', 200, 'edged.probe-timeout', /context deadline exceeded/],
    ['/broken', 20_000, 'edged.unreachable', /hang up|aborted|ECONNRESET/],
    ['/loop', 20_000, 'edged.unreachable', /stopped after 10 redirects/],
  ])('[edged-20.33] fail for %s within %i ms with %s', async (path, timeoutMs, code, message) => {
    await expect(get(path, timeoutMs)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  });

  it('[edged-20.34] tell a refused connection in the words that people know', async () => {
    const closed = createTcpServer();
    const free = await listen(closed);
    await new Promise((resolve) => closed.close(resolve));
    const text = `dial tcp 127.0.0.1:${free}: connect: connection refused`;
    await expect(network.http({ url: `http://127.0.0.1:${free}/`, headers: [] }, 20_000, never)).rejects.toMatchObject({ message: expect.stringContaining(text) as string });
    await expect(network.tcp('127.0.0.1', free, 20_000, never)).rejects.toMatchObject({ code: 'edged.unreachable', message: text });
    await expect(network.grpc('127.0.0.1', free, '', 20_000, never)).rejects.toMatchObject({ code: 'edged.unreachable' });
  });

  it('[edged-20.35] check no certificate; a server that speaks no TLS is recognised', async () => {
    const { certificate: cert, privateKey: key } = await (await createTestCa()).server(['other.example']);
    const secure = await listen(createTlsServer({ cert, key }, answers));
    expect((await network.http({ url: `https://127.0.0.1:${secure}/`, headers: [] }, 20_000, never)).status).toBe(200);
    const error = await network.http({ url: `https://127.0.0.1:${port}/`, headers: [] }, 20_000, never).catch((one: Error) => one);
    expect(error).toMatchObject({ message: expect.stringContaining('server gave HTTP response to HTTPS client') as string });
    expect(isPlainAnswer((error as Error).cause)).toBe(true);
  });

  it('[edged-20.36] end when they are aborted', async () => {
    const end = new AbortController();
    const mute = await listen(createTcpServer());
    setTimeout(() => end.abort(), 30);
    const calls = [network.http({ url: `http://127.0.0.1:${port}/silent`, headers: [] }, 60_000, end.signal), network.grpc('127.0.0.1', mute, '', 60_000, end.signal), network.tcp('127.0.0.1', port, 60_000, AbortSignal.abort())];
    for (const result of await Promise.allSettled(calls)) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'core.aborted' } });
  });
});

describe('gRPC health checks', () => {
  const asked: string[] = [];
  const replies: Record<string, Buffer> = { '': Buffer.from([8, 1]), down: Buffer.from([8, 2]) };
  let port = 0;
  const server = new GrpcServer();
  afterAll(() => server.forceShutdown());
  beforeAll(async () => {
    const path = '/grpc.health.v1.Health/Check';
    const raw = (bytes: Buffer): Buffer => bytes;
    server.addService(
      { check: { path, requestStream: false, responseStream: false, requestSerialize: raw, requestDeserialize: raw, responseSerialize: raw, responseDeserialize: raw } },
      {
        check: (call: { request: Buffer; metadata: { get(name: string): unknown[] } }, callback: (error: object | null, reply?: Buffer) => void) => {
          const service = call.request.subarray(2).toString();
          asked.push(`${service} ${String(call.metadata.get('user-agent')[0])}`);
          if (service === 'hangs') return;
          const reply = replies[service];
          callback(reply ? null : { code: 5, details: 'no such service' }, reply);
        },
      },
    );
    port = await new Promise<number>((resolve, reject) => server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))));
  });

  it('[edged-20.37] give the word of the service, and say who asks', async () => {
    expect(await network.grpc('127.0.0.1', port, '', 20_000, never)).toBe('SERVING');
    expect(await network.grpc('127.0.0.1', port, 'down', 20_000, never)).toBe('NOT_SERVING');
    expect(asked[1]).toMatch(/^down kube-probe\/1\.32/);
  });

  it('[edged-20.38] fail for a service that is not there, one that hangs, and a server without the protocol', async () => {
    await expect(network.grpc('127.0.0.1', port, 'other', 20_000, never)).rejects.toMatchObject({ code: 'edged.unreachable', message: expect.stringContaining('no such service') as string });
    await expect(network.grpc('127.0.0.1', port, 'hangs', 200, never)).rejects.toMatchObject({ code: 'edged.probe-timeout' });
    const bare = new GrpcServer();
    const other = await new Promise<number>((resolve) => bare.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound)));
    await expect(network.grpc('127.0.0.1', other, '', 20_000, never)).rejects.toMatchObject({ message: expect.stringContaining('does not implement the grpc health protocol') as string });
    bare.forceShutdown();
  });

  it('[edged-20.39] messages: long names, unknown fields, an empty answer', () => {
    const long = 'x'.repeat(300);
    expect([...encodeRequest(long).subarray(0, 3)]).toEqual([0x0a, 0xac, 0x02]);
    expect(encodeRequest('')).toHaveLength(0);
    expect(decodeStatus(Buffer.alloc(0))).toBe('UNKNOWN');
    expect(decodeStatus(Buffer.from([0x12, 2, 8, 9, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x08, 3]))).toBe('SERVICE_UNKNOWN');
    expect(decodeStatus(Buffer.from([0x12, 0xff]))).toBe('UNKNOWN');
  });
});

describe('targets', () => {
  const container = { ports: [{ name: 'web', containerPort: 8080 }, { name: '90', containerPort: 91 }] };

  it.each([
    [80, 80],
    ['web', 8080],
    ['81', 81],
    ['90', 91],
  ])('[edged-20.40] port %o is %i', (port, expected) => {
    expect(portNumber(port, container)).toBe(expected);
  });

  it.each([0, 65_536, 'other', ''])('[edged-20.41] port %o does not exist', (port) => {
    expect(() => portNumber(port, container)).toThrow(expect.objectContaining({ code: 'edged.probe-target' }) as Error);
  });

  it.each([
    [{ port: 80 }, 'http://10.0.0.1/'],
    [{ port: 'web', path: 'x?a=b', scheme: 'HTTPS' }, 'https://10.0.0.1:8080/x?a=b'],
    [{ port: 1, host: 'h', path: '//other.example/x' }, 'http://h:1//other.example/x'],
  ])('[edged-20.42] %o is %s', (action, url) => {
    expect(httpCall(action, container, '10.0.0.1', 'probe').url).toBe(url);
  });

  it('[edged-20.43] an address of version 6 stands in brackets, and a pod without address cannot be asked', () => {
    expect(httpCall({ port: 81 }, container, 'fd00::1', 'probe').url).toBe('http://[fd00::1]:81/');
    expect(() => httpCall({ port: 81 }, container, undefined, 'probe')).toThrow(expect.objectContaining({ code: 'edged.probe-target' }) as Error);
  });
});
