import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudLinkWriter, CONTRACT_VERSIONS, Core, defineModule, MessageBus, provide, route, silentLogger, Store, token, type Life, type ModuleDefinition, type WritableCell } from '@edge/core';
import { createMessage, createResponse, defineKind, type Message } from '@edge/protocol';
import { openStore } from '@edge/store';
import { metamanager } from '../src/index.js';

/** A cloud that knows one ConfigMap, in the place of edgehub. */
class ScriptedCloud {
  readonly #link: WritableCell<{ connected: boolean; session: number; since: number }>;
  readonly #bus: MessageBus;

  constructor(deps: { link: WritableCell<{ connected: boolean; session: number; since: number }>; bus: MessageBus }) {
    this.#link = deps.link;
    this.#bus = deps.bus;
  }

  async run(life: Life): Promise<void> {
    life.ready();
    this.#link.set({ connected: true, session: 1, since: Date.now() });
    await new Promise<void>((resolve) => life.signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  hear(message: Message): void {
    console.log('to the cloud:  ', message.route.operation, message.route.resource, JSON.stringify(message.content));
    if (message.route.operation !== 'query') return;
    const content = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'hello', namespace: 'default', uid: 'u1', resourceVersion: '7' }, data: { greeting: 'hello' } };
    this.#bus.respond(createResponse(message, content, { source: 'edgecontroller', group: 'resource' }));
  }
}

const CloudEntry = token<ScriptedCloud>('example', 'ScriptedCloud');
const cloud = defineModule<ScriptedCloud, object>({
  name: 'edgehub',
  packageName: 'example',
  version: '0.1.0',
  requires: {},
  wire: { module: 'websocket', group: 'hub' },
  config: { path: 'example', token: token<object>('example', 'config'), parse: () => ({}) },
  routes: [route(defineKind('upward', {}), 'upward', (module: ScriptedCloud, _body, message) => module.hear(message))],
  entry: CloudEntry,
  bindings: (bind) => provide(bind, CloudEntry, ScriptedCloud, { link: CloudLinkWriter, bus: MessageBus }),
});

const folder = mkdtempSync(join(tmpdir(), 'metamanager-'));
const store = await openStore({ path: join(folder, 'edgecore.db'), log: silentLogger });
const core = new Core({
  config: {},
  log: silentLogger,
  gates: { enabled: () => false, explicit: () => undefined },
  deadLetters: { add: (module, message, error) => console.error('set aside by', module, message.route, error) },
  contract: CONTRACT_VERSIONS,
  platform: (bind) => void bind(Store).toConstantValue(store),
});
core.register(cloud as unknown as ModuleDefinition).register(metamanager as unknown as ModuleDefinition);

const stop = new AbortController();
const running = core.run(stop.signal);
await core.health.until((health) => health['metamanager']?.phase === 'ready' && health['edgehub']?.phase === 'ready', AbortSignal.timeout(5000));

const ask = (): Message => createMessage({ source: 'edged', group: 'meta', operation: 'query', resource: 'default/configmap/hello' });
for (const title of ['asked first:   ', 'asked again:   ']) {
  const answer = await core.bus.request({ module: 'metamanager' }, ask());
  console.log(title, answer.route.source, JSON.stringify(answer.content));
}
const pod = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p', namespace: 'default', uid: 'u2', resourceVersion: '8' }, spec: { containers: [] } };
await core.bus.send({ group: 'meta' }, createMessage({ source: 'edgecontroller', group: 'resource', operation: 'insert', resource: 'default/pod/p', content: pod, resourceVersion: '8' }));
const pods = await core.bus.request({ module: 'metamanager' }, createMessage({ source: 'edged', group: 'meta', operation: 'query', resource: 'default/pod' }));
console.log('pods:          ', JSON.stringify(pods.content));

await store.flush();
stop.abort();
await running;
await store.close();
rmSync(folder, { recursive: true });
