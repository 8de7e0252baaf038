import 'reflect-metadata';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudLinkWriter,
  CONTRACT_VERSIONS,
  Core,
  defineModule,
  MessageBus,
  NodeIdentity,
  provide,
  route,
  silentLogger,
  token,
  type Life,
  type LinkStatus,
  type ModuleDefinition,
  type WritableCell,
} from '@edge/core';
import { createMessage, createResponse, defineKind, strategicMerge, type KubeNode, type Message, type Pod } from '@edge/protocol';
import { edged } from '../src/index.js';

/** Metamanager and the cloud in one: knows one pod, says yes to everything, and prints what edged says. */
class ScriptedCloud {
  readonly #link: WritableCell<LinkStatus>;
  readonly #bus: MessageBus;
  #pod: Pod | undefined;

  constructor(deps: { link: WritableCell<LinkStatus>; bus: MessageBus }) {
    this.#link = deps.link;
    this.#bus = deps.bus;
  }

  async run(life: Life): Promise<void> {
    life.ready();
    this.#link.set({ connected: true, session: 1, since: Date.now() });
    await new Promise<void>((resolve) => life.signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  hear(message: Message): Message | undefined {
    const { operation, resource } = message.route;
    const text = typeof message.content === 'string' ? message.content : JSON.stringify(message.content);
    console.log(`edged says:  ${operation} ${resource}  ${text.slice(0, 160)}${text.length > 160 ? '…' : ''}`);
    if (resource.includes('/podpatch/') && this.#pod) {
      this.#pod = strategicMerge(this.#pod, JSON.parse(message.content as string) as object);
      void this.#tell(createResponse(message, { Object: this.#pod, Err: null }));
      return undefined;
    }
    if (operation === 'delete') {
      void this.#tell(createMessage({ source: 'edgecontroller', group: 'resource', operation: 'delete', resource, content: this.#pod }));
      return undefined;
    }
    if (operation === 'query') return createResponse(message, resource.includes('/lease/') ? { ErrStatus: { status: 'Failure', reason: 'NotFound', message: '', code: 404 } } : []);
    const object = message.content as KubeNode;
    return createResponse(message, { Object: { ...object, metadata: { ...object.metadata, uid: 'u1', resourceVersion: '1' } }, Err: null });
  }

  /** Pushes a pod as the cloud would. */
  push(pod: Pod, operation: string): Promise<void> {
    this.#pod = pod;
    return this.#tell(createMessage({ source: 'edgecontroller', group: 'resource', operation, resource: `default/pod/${pod.metadata.name}`, content: pod }));
  }

  get pod(): Pod | undefined {
    return this.#pod;
  }

  #tell(message: Message): Promise<void> {
    return this.#bus.send({ module: 'edged' }, message);
  }
}

const Entry = token<ScriptedCloud>('example', 'ScriptedCloud');
let cloud: ScriptedCloud | undefined;
const scripted = defineModule<ScriptedCloud, object>({
  name: 'metamanager',
  packageName: 'example',
  version: '0.1.0',
  requires: {},
  wire: { module: 'metamanager', group: 'meta' },
  config: { path: 'example', token: token<object>('example', 'config'), parse: () => ({}) },
  routes: [
    route(defineKind('all', {}), 'all', (module: ScriptedCloud, _body, message) => {
      cloud = module;
      return module.hear(message);
    }),
  ],
  entry: Entry,
  bindings: (bind) => provide(bind, Entry, ScriptedCloud, { link: CloudLinkWriter, bus: MessageBus }),
});

const folder = mkdtempSync(join(tmpdir(), 'edged-'));
const core = new Core({
  config: {
    modules: { edged: { rootDirectory: folder, tailoredKubeletConfig: { podLogsDir: join(folder, 'logs') } } },
    edge: { runtime: 'process' },
  },
  log: silentLogger,
  gates: { enabled: () => false, explicit: () => undefined },
  deadLetters: { add: (module, message, error) => console.error('set aside by', module, message.route, error) },
  contract: CONTRACT_VERSIONS,
  platform: (bind) => void bind(NodeIdentity).toConstantValue({ name: 'edge-1', version: 'v1.23.1', addresses: () => Promise.resolve(['127.0.0.1']) }),
});
core.register(scripted as unknown as ModuleDefinition).register(edged as unknown as ModuleDefinition);

const stop = new AbortController();
const running = core.run(stop.signal);
await core.health.until((health) => health['edged']?.phase === 'ready', AbortSignal.timeout(5000));
await until(() => cloud !== undefined);

const pod: Pod = {
  metadata: { name: 'hello', namespace: 'default', uid: 'u2' },
  spec: { nodeName: 'edge-1', restartPolicy: 'Always', containers: [{ name: 'c', image: 'none', command: ['/bin/sh', '-c', 'echo hello from $NODE; exec sleep 60'], env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }] }] },
  status: { phase: 'Pending' },
};
await cloud?.push(pod, 'insert');
await until(() => cloud?.pod?.status?.phase === 'Running' && readLog() !== '');
console.log(`its log:     ${readLog()}`);
await cloud?.push({ ...(cloud.pod as Pod), metadata: { ...pod.metadata, deletionTimestamp: new Date().toISOString(), deletionGracePeriodSeconds: 5 } }, 'update');
await until(() => readdirSync(join(folder, 'process-runtime'), { recursive: true, encoding: 'utf8' }).every((path) => !path.endsWith('.json')));
stop.abort();
await running;
rmSync(folder, { recursive: true });

function readLog(): string {
  try {
    return readFileSync(join(folder, 'logs', 'default_hello_u2', 'c', '0.log'), 'utf8').trim();
  } catch {
    return '';
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 500; round += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it takes too long');
}
