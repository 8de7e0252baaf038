import { request as httpRequest, type IncomingMessage } from 'node:http';
import { ApiServer, builtinResources, KubeApi, MemoryObjectStore, ResourceRegistry, type ApiServerOptions, type SubresourceHandler } from '../src/index.js';

/** A server on a free port with an empty store and the namespace `default`. */
export class TestServer implements AsyncDisposable {
  private constructor(readonly api: KubeApi, readonly store: MemoryObjectStore, readonly server: ApiServer, readonly port: number, readonly errors: unknown[], private readonly scheme: string) {}

  static async start(options: ApiServerOptions = {}, subresources: SubresourceHandler[] = [], historyLimit?: number, collected = false): Promise<TestServer> {
    const registry = new ResourceRegistry(builtinResources());
    const store = await MemoryObjectStore.open(historyLimit === undefined ? {} : { historyLimit });
    const api = new KubeApi({ registry, store, garbageCollection: collected });
    await api.resource('v1', 'namespaces').create({ metadata: { name: 'default' } });
    const errors: unknown[] = [];
    const server = new ApiServer({ backend: api, registry, subresources, options: { onInternalError: (error) => errors.push(error), ...options } });
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    return new TestServer(api, store, server, port, errors, options.tls === undefined ? 'http' : 'https');
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    this.api.close();
  }

  /** One exchange; `body` objects are sent as JSON. */
  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await this.open(method, path, body, headers);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { code: response.statusCode ?? 0, text, json: json as Json, headers: response.headers };
  }

  /** The answer as soon as its headers are there. */
  async open(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
    const bytes = body === undefined ? undefined : isRaw ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port: this.port, method, path, agent: false, headers: {
        ...(bytes === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(bytes)) }),
        ...(bytes === undefined || isRaw ? {} : { 'Content-Type': 'application/json' }), ...headers,
      } }, resolve);
      request.on('error', reject);
      request.end(bytes);
    });
  }

  /** Lines of a watch, parsed, until it ends or `stop` says so. */
  async watch(path: string, stop: (events: WatchLine[]) => boolean = () => false, headers: Record<string, string> = {}): Promise<WatchLine[]> {
    const response = await this.open('GET', path, undefined, headers);
    const events: WatchLine[] = [];
    let rest = '';
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      events.push(...lines.map((line) => JSON.parse(line) as WatchLine));
      if (stop(events)) break;
    }
    response.destroy();
    return events;
  }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

export interface Answer {
  code: number;
  text: string;
  json: Json;
  headers: Record<string, string | string[] | undefined>;
}

export interface WatchLine {
  type: string;
  object: Json;
}

export const podDraft = (name: string, more: object = {}): object => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }], ...more },
});
