import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudLink, createCell, provideValue, type LinkStatus, type ModuleDefinition, type Store, type WritableCell } from '@edge/core';
import { createMessage, type Message, type NewMessage } from '@edge/protocol';
import { createMemoryStore, runModule, type PlayedModule, type RunningModule, type Script } from '@edge/testing';
import { metamanager, type MetaManager, type MetaManagerConfig } from '../src/index.js';
import { MetaObjects } from '../src/meta-objects.js';

/** metamanager alone: the hub and edged are played, the link is switched by the test. */
export interface Scene extends AsyncDisposable {
  readonly running: RunningModule;
  readonly store: Store;
  readonly objects: MetaObjects;
  readonly tokenKeyFile: string;
  readonly hub: PlayedModule;
  readonly edged: PlayedModule;
  readonly twin: PlayedModule | undefined;
  connect(): void;
  disconnect(): void;
  /** As edgehub passes on what the cloud sends. */
  fromCloud(message: Message): Promise<void>;
  /** As edged asks. */
  ask(parts: Partial<NewMessage> & { operation: string; resource: string }): Promise<Message>;
  /** As edged sends without waiting for an answer. */
  tell(parts: Partial<NewMessage> & { operation: string; resource: string }): Promise<Message>;
  /** Acknowledgements that left, as ids of what they answer. */
  acknowledged(): string[];
}

export interface SceneOptions {
  readonly store?: Store;
  readonly connected?: boolean;
  /** Plays the cloud behind the hub: returned values answer what came. */
  readonly cloud?: Script;
  readonly edged?: Script;
  readonly twin?: boolean;
  readonly config?: Record<string, unknown>;
  /** A file of its own unless given. */
  readonly tokenKeyFile?: string;
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const store = options.store ?? createMemoryStore();
  const own = mkdtempSync(join(tmpdir(), 'metamanager-'));
  const link = createCell<LinkStatus>({ connected: options.connected ?? false, session: options.connected ? 1 : 0, since: 0 });
  const tokenKeyFile = options.tokenKeyFile ?? join(own, 'token-key');
  let hub: PlayedModule | undefined;
  let edged: PlayedModule | undefined;
  let twin: PlayedModule | undefined;
  const running = await runModule(withLink(link), {
    store,
    config: { modules: { metaManager: options.config ?? {} }, edge: { metaManager: { tokenKeyFile } } },
    neighbours: (bus) => {
      hub = bus.play('websocket', 'hub', (message) => (message.header.parentId ? undefined : answerAside(bus.bus, message, options.cloud)));
      edged = bus.play('edged', 'edged', options.edged);
      if (options.twin) twin = bus.play('twin', 'twin');
    },
  });
  const local = (parts: Partial<NewMessage> & { operation: string; resource: string }): Message => createMessage({ source: 'edged', group: 'meta', ...parts });
  return {
    running,
    store,
    objects: new MetaObjects({ store, tokens: { dropBound: () => undefined } }),
    tokenKeyFile,
    hub: hub as PlayedModule,
    edged: edged as PlayedModule,
    twin,
    connect: () => link.set({ connected: true, session: link.value.session + 1, since: Date.now() }),
    disconnect: () => link.set({ ...link.value, connected: false, since: Date.now(), reason: 'cut' }),
    fromCloud: async (message) => {
      if (!running.bus.bus.respond(message)) await running.bus.bus.send({ group: 'meta' }, message);
    },
    ask: (parts) => running.bus.bus.request({ module: 'metamanager' }, local(parts), { timeoutMs: 20_000 }),
    tell: async (parts) => {
      const message = local(parts);
      await running.bus.bus.send({ module: 'metamanager' }, message);
      return message;
    },
    acknowledged: () =>
      (hub as PlayedModule).received.flatMap(({ header, route, content }) => (route.operation === 'response' && content === 'OK' && header.parentId ? [header.parentId] : [])),
    [Symbol.asyncDispose]: async () => {
      await running.stop();
      rmSync(own, { recursive: true, force: true });
    },
  };
}

/** The hub never waits for the cloud: answers come when they come. */
function answerAside(bus: RunningModule['bus']['bus'], message: Message, script: Script | undefined): undefined {
  void Promise.resolve(script?.(message)).then((answer) => {
    if (answer === undefined) return;
    const isWhole = typeof answer === 'object' && answer !== null && 'header' in answer;
    bus.respond(isWhole ? (answer as Message) : cloudAnswer(message, answer));
  });
}

/** The cloud's answer to a message. */
export function cloudAnswer(asked: Message, content: unknown): Message {
  return createMessage({ source: 'edgecontroller', group: 'resource', operation: 'response', resource: asked.route.resource, content, parentId: asked.header.id });
}

/** A push of the cloud. */
export function push(operation: string, resource: string, content: unknown, parts: Partial<NewMessage> = {}): Message {
  const version = (content as { metadata?: { resourceVersion?: string } } | null)?.metadata?.resourceVersion;
  return createMessage({ source: 'edgecontroller', group: 'resource', operation, resource, content, ...(version ? { resourceVersion: version } : {}), ...parts });
}

/** An object of the API with what tells it apart. */
export function object(kind: string, name: string, resourceVersion: number | string, over: Record<string, unknown> = {}): Record<string, unknown> & { metadata: Record<string, unknown> } {
  const { metadata, ...rest } = over;
  return {
    kind,
    apiVersion: 'v1',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: String(resourceVersion), creationTimestamp: '2026-01-01T00:00:00Z', ...(metadata as object) },
    ...rest,
  };
}

/** A 404 as it crosses the wire. */
export const NOT_FOUND = { ErrStatus: { metadata: {}, status: 'Failure', message: 'not found', reason: 'NotFound', code: 404 } };

/** Waits until `fits`, looking every few milliseconds. */
export async function eventually(fits: () => boolean, timeoutMs = 60_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!fits()) {
    if (Date.now() > end) throw new Error(`did not come true within ${timeoutMs} ms: ${fits.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

/** Lets everything that is due happen. */
export async function settle(rounds = 10): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

function withLink(link: WritableCell<LinkStatus>): ModuleDefinition<MetaManager, MetaManagerConfig> {
  return {
    ...metamanager,
    bindings: (bind) => {
      metamanager.bindings(bind);
      // Nearer than core's own cell, so the test writes what edgehub would.
      provideValue(bind, CloudLink, link);
    },
  };
}
