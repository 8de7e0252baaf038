import { request as httpRequest, type IncomingMessage } from 'node:http';
import { CloudLink, createCell, provideValue, type LinkStatus, type ModuleDefinition, type Store } from '@edge/core';
import type { DraftObject } from '@edge/kubeapi';
import { createErrorResponse, type KubeObject, type Message } from '@edge/protocol';
import { createMemoryStore, runModule, testGates, testIdentity, type PlayedModule, type RunningModule, type Script } from '@edge/testing';
import { metaserver, type MetaServer, type MetaServerConfig } from '../src/index.js';
import { FakeCloud } from './fake-cloud.js';
import { FakeMeta } from './fake-meta.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

export interface Answer {
  readonly code: number;
  readonly text: string;
  readonly json: Json;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Event {
  readonly type: string;
  readonly object: Json;
}

/** Answers messages to the cloud that are no Applications. */
export type HubScript = (message: Message) => Promise<Message | undefined> | Message | undefined;

/** metaserver alone, with a metamanager and a cloud that are played, and a client over HTTP. */
export class Scene implements AsyncDisposable {
  private constructor(
    readonly running: RunningModule, readonly port: number, readonly store: Store, readonly meta: FakeMeta, readonly cloud: FakeCloud, readonly hub: PlayedModule,
    private readonly link: ReturnType<typeof createCell<LinkStatus>>, private readonly isLent: boolean,
  ) {}

  static async open(options: { connected?: boolean; store?: Store; meta?: FakeMeta; cloud?: FakeCloud; node?: string; objects?: readonly KubeObject[]; gates?: Readonly<Record<string, boolean>>; metaServer?: Readonly<Record<string, unknown>>; edge?: Readonly<Record<string, unknown>>; hub?: HubScript; edged?: Script } = {}): Promise<Scene> {
    const meta = options.meta ?? new FakeMeta();
    const cloud = options.cloud ?? (await FakeCloud.start(meta));
    const store = options.store ?? createMemoryStore();
    if (options.objects) meta.put(...options.objects);
    cloud.isConnected = options.connected ?? false;
    const link = createCell<LinkStatus>({ connected: cloud.isConnected, session: cloud.isConnected ? 1 : 0, since: 0 });
    let hub: PlayedModule | undefined;
    const running = await runModule(withLink(link), {
      store,
      gates: testGates(options.gates),
      identity: testIdentity(options.node),
      config: { modules: { metaManager: { metaServer: { enable: true, server: '127.0.0.1:0', ...options.metaServer } } }, ...(options.edge ? { edge: options.edge } : {}) },
      neighbours: (bus) => {
        meta.play(bus);
        if (options.edged) bus.play('edged', 'edged', options.edged);
        hub = bus.play('websocket', 'hub', (message) => {
          if (!link.value.connected) return createErrorResponse(message, 'the link is down', { source: 'websocket' });
          // As edgehub: what is under way when the link breaks fails at once.
          const { session } = link.value;
          const broken = new AbortController();
          const failed = link.until((now) => now.session !== session || !now.connected, broken.signal).then(() => createErrorResponse(message, 'the link broke', { source: 'websocket' }), () => undefined);
          void Promise.race([failed, Promise.resolve(options.hub?.(message)).then((answer) => answer ?? cloud.answer(message)).then((answer) => answer ?? failed)]).then((answer) => {
            broken.abort();
            if (answer) bus.bus.respond(answer);
          });
          return undefined;
        });
      },
    });
    const line = running.lines.find(({ message }) => message === 'the local API listens');
    const port = Number(String(line?.fields?.['address']).split(':').at(-1));
    return new Scene(running, port, store, meta, cloud, hub as PlayedModule, link, options.cloud !== undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running.stop();
    if (!this.isLent) await this.cloud[Symbol.asyncDispose]();
  }

  connect(): void {
    this.cloud.isConnected = true;
    this.link.set({ connected: true, session: this.link.value.session + 1, since: Date.now() });
  }

  disconnect(): void {
    this.cloud.isConnected = false;
    this.link.set({ ...this.link.value, connected: false, since: Date.now(), reason: 'cut' });
  }

  /** Creates in the cloud alone. */
  inCloud(apiVersion: string, plural: string, draft: DraftObject): Promise<KubeObject> {
    return this.cloud.api.resource(apiVersion, plural).create({ ...draft, metadata: { namespace: 'default', ...draft.metadata } }) as unknown as Promise<KubeObject>;
  }

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await this.open(method, path, body, headers);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    let json: Json;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { code: response.statusCode ?? 0, text, json, headers: response.headers };
  }

  open(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const bytes = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port: this.port, method, path, agent: false, headers: {
        ...(bytes === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(bytes)), 'Content-Type': 'application/json' }), ...headers,
      } }, resolve);
      request.on('error', reject);
      request.end(bytes);
    });
  }

  /** A watch; its events grow as they come. */
  async watch(path: string, headers: Record<string, string> = {}): Promise<{ readonly events: Event[]; readonly closed: Promise<void>; close(): void }> {
    const response = await this.open('GET', path, undefined, headers);
    const events: Event[] = [];
    let rest = '';
    response.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      events.push(...lines.map((line) => JSON.parse(line) as Event));
    });
    const closed = new Promise<void>((resolve) => response.on('close', () => resolve()));
    response.on('error', () => undefined);
    return { events, closed, close: () => response.destroy() };
  }
}

export const brief = (events: readonly Event[]): string[] => events.map(({ type, object }) => `${type} ${object.metadata?.name ?? object.reason}`);

export function object(kind: string, name: string, version: number, over: Record<string, unknown> = {}): KubeObject {
  const { metadata, ...rest } = over;
  return {
    kind, apiVersion: 'v1',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: String(version), creationTimestamp: '2026-01-01T00:00:00Z', ...(metadata as object) }, ...rest,
  };
}

/** Waits until `fits`, looking every few milliseconds. */
export async function eventually(fits: () => boolean, timeoutMs = 60_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!fits()) {
    if (Date.now() > end) throw new Error(`did not come true within ${timeoutMs} ms: ${fits.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function withLink(link: ReturnType<typeof createCell<LinkStatus>>): ModuleDefinition<MetaServer, MetaServerConfig> {
  return {
    ...metaserver,
    bindings: (bind) => {
      metaserver.bindings(bind);
      // Nearer than core's own cell, so the test writes what edgehub would.
      provideValue(bind, CloudLink, link);
    },
  };
}

export type { Message };
