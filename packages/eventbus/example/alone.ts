import 'reflect-metadata';
import { CONTRACT_VERSIONS, Core, defineModule, NodeIdentity, provide, route, Store, token, untilAborted, type Bind, type Life, type Logger, type ModuleDefinition, type Store as StorePort } from '@edge/core';
import { createResponse, defineKind, resourceTopic, type Message } from '@edge/protocol';
import { eventbus } from '../src/index.js';

/** Stands in the place of the twin and of the link to the cloud: says what it gets, and that it has it. */
class Listener {
  readonly #say: (line: string) => void;

  constructor(deps: { say: (line: string) => void }) {
    this.#say = deps.say;
  }

  async run(life: Life): Promise<void> {
    life.ready();
    await untilAborted(life.signal);
  }

  hear(message: Message): Message {
    const { operation, resource } = message.route;
    const [to, topic] = operation === 'upload' ? ['cloud', resource] : ['twin', resourceTopic(resource) ?? ''];
    this.#say(`to the ${to}: ${topic} ${JSON.stringify(message.content)}`);
    return createResponse(message, 'OK');
  }
}

const Say = token<(line: string) => void>('example', 'Say');

function listener(module: string, group: string): ModuleDefinition {
  const entry = token<Listener>('example', module);
  return defineModule<Listener, object>({
    name: module,
    packageName: 'example',
    version: '0.1.0',
    requires: {},
    wire: { module, group },
    config: { path: 'example', token: token<object>('example', `${module}Config`), parse: () => ({}) },
    routes: [route(defineKind('all', {}), 'all', (self: Listener, _body, message) => self.hear(message))],
    entry,
    bindings: (bind: Bind) => provide(bind, entry, Listener, { say: Say }),
  }) as unknown as ModuleDefinition;
}

/** Subscriptions of rules live in memory here. */
function memoryStore(): StorePort {
  const rows = new Map<string, { topic: string }>();
  const table = {
    all: () => [...rows.values()],
    put: (row: { topic: string }) => rows.set(row.topic, row).size,
    remove: ({ topic }: { topic: string }) => Number(rows.delete(topic)),
  };
  return { table: () => table, commit: (work: () => unknown) => Promise.resolve(work()), flush: () => Promise.resolve() } as unknown as StorePort;
}

function sayingLogger(say: (line: string) => void): Logger {
  const line = (text: string, fields?: object): void => say(fields === undefined ? text : `${text} ${JSON.stringify(fields)}`);
  const log: Logger = { error: line, warn: line, info: line, verbose: () => undefined, named: () => log };
  return log;
}

/** Runs the broker with a twin and a cloud that are played, until the signal aborts. */
export async function runAlone(address: string, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  const core = new Core({
    config: { modules: { eventBus: { mqttMode: 0, mqttServerInternal: address } } },
    log: sayingLogger(say),
    gates: { enabled: () => false, explicit: () => undefined },
    deadLetters: { add: (module, message) => say(`set aside by ${module}: ${message.route.operation} ${message.route.resource}`) },
    contract: CONTRACT_VERSIONS,
    platform: (bind) => {
      bind(Say).toConstantValue(say);
      bind(Store).toConstantValue(memoryStore());
      bind(NodeIdentity).toConstantValue({ name: 'edge-1', version: 'v0.0.0', addresses: () => Promise.resolve([]) });
    },
  });
  core.register(listener('twin', 'twin')).register(listener('websocket', 'hub')).register(eventbus as unknown as ModuleDefinition);
  await core.run(signal);
}

if (process.argv[1]?.endsWith('alone.mjs')) {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
  await runAlone(process.argv[2] ?? 'tcp://127.0.0.1:1884', (line) => console.log(line), stop.signal);
}
