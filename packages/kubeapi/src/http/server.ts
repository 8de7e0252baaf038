import { createServer as createHttpServer, ServerResponse, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { ApiError, forbidden, isApiError } from '../errors.js';
import type { ResourceRegistry } from '../resource/registry.js';
import type { ApiBackend } from '../types/backend.js';
import type { SubresourceHandler } from '../types/hooks.js';
import type { UserInfo } from '../types/requests.js';
import type { ResourceRef } from '../types/resource.js';
import type { ApiServerOptions, TlsSettings, VersionInfo } from '../types/server.js';
import { Answers } from './answers.js';
import { refuseBytes } from './client-error.js';
import { answerDocument } from './documents.js';
import { EncodedObjects } from './encoded-objects.js';
import { contextOf, splitTarget, type Exchange } from './exchange.js';
import { notServed } from './not-served.js';
import { parsePath, type Route } from './path.js';
import { ResourceHandler, verbOf } from './resource-handler.js';
import { isKnownUpgrade, readAgain } from './plain-request.js';
import { respondError } from './respond.js';
import { refuseOtherOrigins } from './same-origin.js';
import { writeOptions } from './query.js';
import { serverVersion } from './version.js';
import { WatchHandler } from './watch-handler.js';

const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const BODY_LIMIT = 3 * 1024 * 1024;
const ENCODED = 32 * 1024 * 1024;
const WATCH_BUFFER = 1024 * 1024;
const BOOKMARK_INTERVAL = 60_000;
/** Longer than the 90 s that Go clients keep idle connections, so that they close first and no request is lost. */
const KEEP_ALIVE = 120_000;

export interface ApiServerDeps {
  backend: ApiBackend;
  registry: ResourceRegistry;
  /** Subresources beyond status and scale. */
  subresources?: readonly SubresourceHandler[];
  options?: ApiServerOptions;
}

/** The Kubernetes API over HTTP or HTTPS. */
export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #registry: ResourceRegistry;
  readonly #resources: ResourceHandler;
  readonly #watches: WatchHandler;
  readonly #version: VersionInfo;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(deps: ApiServerDeps) {
    const options = deps.options ?? {};
    this.#options = options;
    this.#registry = deps.registry;
    const encoded = new EncodedObjects({ limit: options.encodedBytes ?? ENCODED });
    this.#resources = new ResourceHandler({
      backend: deps.backend, registry: deps.registry, answers: new Answers({ encoded }), subresources: deps.subresources ?? [], bodyLimit: options.bodyLimit ?? BODY_LIMIT,
    });
    this.#watches = new WatchHandler({
      backend: deps.backend, encoded, bufferBytes: options.watchBufferBytes ?? WATCH_BUFFER, bookmarkInterval: options.bookmarkInterval ?? BOOKMARK_INTERVAL,
      onInternalError: (error, exchange) => this.#report(error, exchange),
    });
    this.#version = serverVersion(options.version);
    const { tls } = options;
    this.#server = tls === undefined ? createHttpServer({ keepAliveTimeout: KEEP_ALIVE }) : createHttpsServer({
      ...contextOptions(tls), keepAliveTimeout: KEEP_ALIVE,
      ...(tls.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: false }),
    });
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response));
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => void this.#upgrade(request, socket, head));
    this.#server.on('clientError', refuseBytes);
    this.#server.on('connection', (socket: Socket) => {
      // One that is read again after an offer to change the protocol comes twice.
      if (this.#sockets.has(socket)) return;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** Number of watches open now. */
  get watches(): number {
    return this.#watches.count;
  }

  /** Resolves when the port is open. Rejects with Node's error when it cannot be opened. */
  async listen(address: { host: string; port: number }): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(address.port, address.host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const bound = this.#server.address() as AddressInfo;
    return { host: bound.address, port: bound.port };
  }

  /** Shows another certificate from the next connection on; open ones stay. Without effect on a server without TLS. */
  useTls(tls: TlsSettings): void {
    if (this.#server instanceof HttpsServer) this.#server.setSecureContext(contextOptions(tls));
  }

  /** Ends watches, closes connections, resolves when nothing is open any more. */
  async close(): Promise<void> {
    this.#watches.close();
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    // What is being answered gets a moment, upgraded connections have no other end.
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, 200);
    await closed;
    clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Never rejects. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, query } = splitTarget(request.url ?? '/');
    const method = request.method ?? 'GET';
    let exchange: Exchange | undefined;
    try {
      const route = parsePath(path);
      if (route === undefined) throw notServed(path);
      const user = await this.#authenticate(request, route);
      exchange = { request, response, method, path, query, user, context: contextOf(response, user) };
      await this.#dispatch(exchange, route);
    } catch (error) {
      if (!isApiError(error) && !response.closed) this.#report(error, { user: exchange?.user, path, method });
      respondError(response, error);
    }
  }

  async #dispatch(exchange: Exchange, route: Route): Promise<void> {
    const { method, query } = exchange;
    if (route.kind !== 'resource') {
      if (method !== 'GET' && method !== 'HEAD') throw new ApiError('MethodNotAllowed', `${method} is not served for ${exchange.path.slice(0, 200)}`);
      await this.#authorize(exchange, method.toLowerCase(), undefined);
      if (await this.#hooked(exchange, undefined)) return;
      return answerDocument({ registry: this.#registry, version: this.#version, checks: this.#options.checks ?? {} }, exchange, route);
    }
    const verb = verbOf(method, route.ref, query, route.watchPrefix);
    if (verb === undefined) throw new ApiError('MethodNotAllowed', `${method} is not served for ${exchange.path.slice(0, 200)}`);
    await this.#authorize(exchange, verb, route);
    if (await this.#hooked(exchange, route.ref)) return;
    if (verb === 'watch') return this.#watches.handle(exchange, route.ref, this.#resources.check(route.ref, verb));
    return this.#resources.handle(exchange, { ref: route.ref, subpath: route.subpath, verb });
  }

  /** Health and version are for everyone: who asks them often has no token yet. */
  async #authenticate(request: IncomingMessage, route: Route): Promise<UserInfo> {
    const { authenticate } = this.#options;
    if (authenticate === undefined) return ANONYMOUS;
    const user = await authenticate(request);
    if (user !== undefined) return user;
    if (route.kind === 'health' || route.kind === 'version') return ANONYMOUS;
    throw new ApiError('Unauthorized', request.headers.authorization === undefined ? 'a bearer token or a client certificate is needed' : 'the bearer token is not accepted');
  }

  async #authorize(exchange: Exchange, verb: string, route: Extract<Route, { kind: 'resource' }> | undefined): Promise<void> {
    const { authorize } = this.#options;
    if (authorize === undefined) return;
    const answer = await authorize({ user: exchange.user, verb, path: exchange.path, query: exchange.query, ref: route?.ref });
    if (answer === true) return;
    const subject = { resource: route?.ref.resource ?? exchange.path, group: route?.ref.group ?? '', name: route?.ref.name ?? '' };
    throw forbidden(subject, `user "${exchange.user.name}" may not ${verb} it: ${answer}`);
  }

  async #hooked(exchange: Exchange, ref: ResourceRef | undefined): Promise<boolean> {
    const { onRequest } = this.#options;
    if (onRequest === undefined) return false;
    const { method, path, query, user, context, request, response } = exchange;
    return onRequest({ method, path, query, ref, user, context, request, response });
  }

  #report(error: unknown, { user, path, method }: { user: UserInfo | undefined; path: string; method: string }): void {
    this.#options.onInternalError?.(error, { ...(user === undefined ? {} : { user }), path, method });
  }

  /** Never rejects. A refusal is written on the socket as a plain HTTP answer. */
  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (!isKnownUpgrade(request)) return readAgain(this.#server, request, socket, head);
    // A broken connection is no failure of ours.
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    try {
      refuseOtherOrigins(request);
      const { path, query } = splitTarget(request.url ?? '/');
      const route = parsePath(path);
      if (route === undefined || route.kind !== 'resource') throw notServed(path);
      const user = await this.#authenticate(request, route);
      const context = contextOf(response, user, socket);
      const exchange = { request, response, method: request.method ?? 'GET', path, query, user, context };
      const isWatch = verbOf(exchange.method, route.ref, query, route.watchPrefix) === 'watch';
      const verb = request.method === 'POST' ? 'create' : 'get';
      await this.#authorize(exchange, isWatch ? 'watch' : verb, route);
      if (isWatch) {
        await this.#hooked(exchange, route.ref);
        return this.#watches.upgrade(exchange, route.ref, this.#resources.check(route.ref, 'watch'), { socket, head });
      }
      const type = this.#resources.check(route.ref, verb);
      const handler = this.#resources.handlerOf(route.ref);
      const { name, subresource } = route.ref;
      if (handler?.upgrade === undefined || name === undefined || subresource === undefined) throw new ApiError('BadRequest', `${path.slice(0, 200)} takes no connection upgrade`);
      await handler.upgrade({
        verb, type, ref: { ...route.ref, name, subresource }, path: route.subpath, body: undefined, query, options: writeOptions(query, undefined), context,
      }, { request, socket, head });
    } catch (error) {
      if (!isApiError(error)) this.#report(error, { user: undefined, path: request.url ?? '', method: request.method ?? '' });
      if (socket.writable) {
        response.assignSocket(socket as Socket);
        response.shouldKeepAlive = false;
        respondError(response, error);
        response.on('finish', () => socket.end());
      }
    }
  }
}

function contextOptions({ key, cert, clientCa }: TlsSettings): SecureContextOptions {
  return { key, cert, minVersion: 'TLSv1.2', ...(clientCa === undefined ? {} : { ca: clientCa }) };
}
