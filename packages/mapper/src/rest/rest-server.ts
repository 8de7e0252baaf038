import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { codeOf, errorText, MapperError, MapperErrors } from '../errors.js';
import { findRoute, type RestRoute } from './routes.js';

export interface RestOptions {
  readonly host: string;
  readonly port: number;
  readonly writeByGet: boolean;
}

/** The mapper's HTTP server. */
export class RestServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws MapperError `mapper.port-in-use`, `mapper.bad-options` */
  static async open({ host, port, writeByGet }: RestOptions, routes: readonly RestRoute[]): Promise<RestServer> {
    const server = createServer((request, response) => {
      void answer(request, response, routes, { host, port, writeByGet });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        const inUse = codeOf(error) === 'EADDRINUSE';
        reject(new MapperError(inUse ? MapperErrors.portInUse : MapperErrors.badOptions, inUse ? `port ${port} of ${host} is taken; choose another HTTP port for this mapper, or switch HTTP off` : `cannot listen at ${host}:${port}`, { cause: error }));
      });
      server.listen(port, host, resolve);
    });
    return new RestServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, routes: readonly RestRoute[], options: RestOptions): Promise<void> {
  // Bodies mean nothing here; they are read to be forgotten.
  request.resume();
  try {
    const { pathname } = new URL(request.url ?? '/', 'http://mapper');
    const found = findRoute(routes, pathname);
    if (!found) return send(response, 404, { Message: `there is nothing at ${pathname}` });
    if (!found.route.methods.includes(request.method ?? '')) return send(response, 405, { Message: `${pathname} takes ${found.route.methods.join(', ')}` }, { allow: found.route.methods.join(', ') });
    const foreign = foreignReason(request, options, found.route.writes);
    if (foreign !== undefined) return send(response, 403, { Message: foreign });
    const { status, body } = await found.route.answer(found.parameters);
    send(response, status, body);
  } catch (error) {
    send(response, STATUS[codeOf(error) ?? ''] ?? 500, { Message: errorText(error) });
  }
}

/** Why a request may come from a web page that somebody looks at on this machine, if it may. */
function foreignReason({ headers }: IncomingMessage, { host }: RestOptions, writes: boolean): string | undefined {
  const name = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  const loopback = host === '127.0.0.1' || host === '::1' || host === 'localhost';
  if (loopback && !['127.0.0.1', 'localhost', '[::1]'].includes(name)) return `this server is for programs of this machine, not for "${name}"`;
  return writes && headers.origin !== undefined ? 'web pages cannot write' : undefined;
}

function send(response: ServerResponse, status: number, body: object, headers: Readonly<Record<string, string>> = {}): void {
  const text = JSON.stringify({ apiVersion: 'v1', statusCode: status, timeStamp: new Date().toISOString(), ...body });
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
}

const STATUS: Readonly<Record<string, number>> = {
  [MapperErrors.unknownDevice]: 404,
  [MapperErrors.unknownProperty]: 404,
  [MapperErrors.unknownMethod]: 404,
  [MapperErrors.badValue]: 400,
  [MapperErrors.outOfRange]: 400,
  [MapperErrors.readOnly]: 400,
  [MapperErrors.badOptions]: 400,
  [MapperErrors.deviceAway]: 503,
  [MapperErrors.driverTimeout]: 504,
};
