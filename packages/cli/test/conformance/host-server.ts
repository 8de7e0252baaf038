import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createTestCa } from '@edge/testing';
import { eventually } from '../support/agent.js';

/** A server on the host that remembers what was asked. `/redirect?to=URL` redirects, `/status?code=N` answers so. */
export interface HostServer extends AsyncDisposable {
  readonly port: number;
  readonly requests: readonly Pick<IncomingMessage, 'url' | 'headers' | 'method'>[];
  /** Resolves when this path was asked for. */
  asked(path: string, timeoutMs?: number): Promise<Pick<IncomingMessage, 'url' | 'headers'>>;
}

export async function startHostServer(kind: 'http' | 'https'): Promise<HostServer> {
  const requests: IncomingMessage[] = [];
  const answer: Parameters<typeof createServer>[1] = (request, response) => {
    requests.push(request);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://host');
    if (pathname === '/redirect') response.writeHead(302, { location: searchParams.get('to') ?? '/' }).end();
    else response.writeHead(Number(searchParams.get('code') ?? 200)).end('hello');
  };
  let server: Server;
  if (kind === 'http') {
    server = createServer(answer);
  } else {
    const pair = await (await createTestCa()).server();
    server = createSecureServer({ cert: pair.certificate, key: pair.privateKey }, answer);
  }
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const find = (path: string): IncomingMessage | undefined => requests.find(({ url }) => url === path);
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    asked: async (path, timeoutMs = 30_000) => {
      await eventually(() => find(path) !== undefined, timeoutMs, () => `nobody asked for ${path}, only for ${requests.map(({ url }) => url).join(', ')}`);
      return find(path) as IncomingMessage;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A gRPC health service on the host; `serving` may be changed. */
export async function startHealthServer(): Promise<{ readonly port: number; serving: boolean } & AsyncDisposable> {
  const health = { serving: true };
  const server = createHttp2Server();
  server.on('stream', (stream) => {
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    // A message of two bytes: field 1, SERVING or NOT_SERVING.
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, health.serving ? 1 : 2]));
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  return Object.assign(health, {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  });
}
