import 'reflect-metadata';
import { createMessage, createResponse, defineKind, type Message } from '@edge/protocol';
import { CONTRACT_VERSIONS, Core, defineModule, MessageBus, provide, route, token, untilAborted, type Bind, type Life, type Logger, type ModuleDefinition } from '../src/index.js';

// Two modules on a core: one asks the other, which crashes at the third question and is started again.
const print = (line: string): void => void process.stdout.write(`${line}\n`);
let lives = 0;

/** Counts what it is asked. */
class Counter {
  #asked = 0;
  #crash: (error: Error) => void = () => undefined;

  async run(life: Life): Promise<void> {
    lives += 1;
    print(`counter: life ${lives} begins`);
    life.ready();
    const crashed = new Promise<never>((_resolve, reject) => (this.#crash = reject));
    await Promise.race([untilAborted(life.signal), crashed]);
    print(`counter: life ${lives} ends`);
  }

  count(question: Message): Message {
    this.#asked += 1;
    if (this.#asked === 3) this.#crash(new Error('three is too much'));
    return createResponse(question, this.#asked);
  }
}

/** Asks four times, and says what it hears. */
class Asker {
  readonly #bus: MessageBus;

  constructor(deps: { bus: MessageBus }) {
    this.#bus = deps.bus;
  }

  async run(life: Life): Promise<void> {
    life.ready();
    for (let question = 1; question <= 4; question += 1) {
      const answer = await this.#bus.request({ module: 'counter' }, createMessage({ source: 'asker', group: 'example', operation: 'query', resource: 'count' }), { signal: life.signal });
      print(`asker: question ${question}, the counter says ${String(answer.content)}`);
    }
    stop.abort();
  }
}

const definition = <M extends { run(life: Life): Promise<void> }>(name: string, after: string[], bindings: (bind: Bind, entry: ReturnType<typeof token<M>>) => void, routes: Parameters<typeof defineModule<M, object>>[0]['routes'] = []): ModuleDefinition => {
  const entry = token<M>('example', name);
  return defineModule<M, object>({
    name, packageName: `example-${name}`, version: '0.1.0', requires: {}, wire: { module: name, group: name }, after, routes, entry,
    config: { path: `example.${name}`, token: token<object>('example', `${name}Config`), parse: () => ({}) }, bindings: (bind) => bindings(bind, entry),
  }) as unknown as ModuleDefinition;
};
const counting = route(defineKind('count', { operation: 'query', resource: 'count' }), 'questions', (module: Counter, _body, message: Message) => module.count(message));
const counter = definition<Counter>('counter', [], (bind, entry) => provide(bind, entry, Counter, {}), [counting]);
const asker = definition<Asker>('asker', ['counter'], (bind, entry) => provide(bind, entry, Asker, { bus: MessageBus }));

const line = (level: string) => (message: string): void => print(`${level}: ${message}`);
const log: Logger = { error: line('error'), warn: line('warn'), info: line('info'), verbose: () => undefined, named: () => log };
const stop = new AbortController();
const core = new Core({
  config: {}, log, contract: CONTRACT_VERSIONS, gates: { enabled: () => false, explicit: () => undefined }, deadLetters: { add: (module) => print(`set aside by ${module}`) },
});
await core.register(asker).register(counter).run(stop.signal);
print('the core has stopped');
