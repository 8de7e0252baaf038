import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { CONTRACT_VERSIONS, Core, defineModule, MessageBus, NodeIdentity, provide, silentLogger, sleep, Store, token, type Life, type ModuleDefinition, type Runnable, type TableSpec } from '@edge/core';
import { edgehub, TokenStore } from '@edge/edgehub';
import { createMessage, Groups } from '@edge/protocol';
import { openStore } from '@edge/store';

/** What the test tells this program. */
interface Orders {
  readonly database: string;
  readonly node: string;
  readonly events: number;
  readonly keys: number;
  readonly config: Readonly<Record<string, unknown>>;
}

interface Progress {
  id: number;
  sent: number;
}

const progressTable: TableSpec<Progress> = { name: 'edge_test_progress', columns: { id: 'integer', sent: 'integer' }, key: ['id'] };
const BATCH = 100;
const orders = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Orders;

/** Sends numbered events and states; notes how far it is only after the outbox has them, in the same file. */
class Producer implements Runnable {
  readonly #bus: MessageBus;
  readonly #store: Store;

  constructor(deps: { bus: MessageBus; store: Store }) {
    this.#bus = deps.bus;
    this.#store = deps.store;
  }

  async run(life: Life): Promise<void> {
    const progress = this.#store.table(progressTable);
    life.ready();
    for (let sent = progress.get({ id: 1 })?.sent ?? 0; sent < orders.events && !life.signal.aborted; ) {
      const end = Math.min(sent + BATCH, orders.events);
      for (let seq = sent + 1; seq <= end; seq += 1) await this.#produce(seq);
      // A turn later the outbox has committed; commits keep their order, so what is noted is there.
      await new Promise((resolve) => setImmediate(resolve));
      sent = end;
      await this.#store.commit(() => progress.put({ id: 1, sent }));
    }
    await sleep(2 ** 30, life.signal).catch(() => undefined);
  }

  async #produce(seq: number): Promise<void> {
    const key = seq % orders.keys;
    const parts = { source: 'edged', group: 'meta' } as const;
    await this.#bus.send({ group: Groups.hub }, createMessage({ ...parts, operation: 'insert', resource: `default/event/k${key}.${seq}`, content: { key, seq } }));
    if (seq % 10 === 0) {
      await this.#bus.send({ group: Groups.hub }, createMessage({ ...parts, operation: 'patch', resource: `default/podpatch/p${key}`, content: JSON.stringify({ status: { seq } }) }));
    }
  }
}

const Entry = token<Producer>('test', 'Producer');
const producer = defineModule<Producer, object>({
  name: 'producer',
  packageName: '@edge/producer',
  version: '0.0.0',
  requires: {},
  wire: { module: 'producer', group: 'producers' },
  config: { path: 'producer', token: token<object>('test', 'config'), parse: () => ({}) },
  after: ['edgehub'],
  routes: [],
  entry: Entry,
  bindings: (bind) => provide(bind, Entry, Producer, { bus: MessageBus, store: Store }),
});

const store = await openStore({ path: orders.database, log: silentLogger });
const core = new Core({
  config: orders.config,
  log: silentLogger,
  gates: { enabled: () => false, explicit: () => undefined },
  deadLetters: { add: () => undefined },
  contract: CONTRACT_VERSIONS,
  platform: (bind) => {
    bind(Store).toConstantValue(store);
    bind(NodeIdentity).toConstantValue({ name: orders.node, version: 'v0', addresses: () => Promise.resolve([]) });
    bind(TokenStore).toConstantValue({ forgetToken: () => Promise.resolve() });
  },
});
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
await core.register(edgehub as unknown as ModuleDefinition).register(producer as unknown as ModuleDefinition).run(stop.signal);
await store[Symbol.asyncDispose]();
