import { CONTRACT_VERSIONS, defineModule, provide, route, token, MessageBus, type Life, type Runnable } from '@edge/core';
import { createMessage, createResponse, defineKind, type Message } from '@edge/protocol';
import { expect, it } from 'vitest';
import { describeModule } from './describe-module.js';
import { runModule } from './run-module.js';

/** A module that asks its neighbour whatever it is asked. */
class Forwarder implements Runnable {
  readonly #bus: MessageBus;

  constructor(deps: { bus: MessageBus }) {
    this.#bus = deps.bus;
  }

  async run(life: Life): Promise<void> {
    life.ready();
    await new Promise<void>((resolve) => life.signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  async ask(message: Message): Promise<Message> {
    const answer = await this.#bus.request({ group: 'neighbours' }, createMessage({ ...message.route, content: message.content }));
    return createResponse(message, answer.content);
  }
}

const Entry = token<Forwarder>('test', 'Forwarder');
const forwarder = defineModule<Forwarder, object>({
  name: 'forwarder',
  packageName: '@edge/forwarder',
  version: '0.1.0',
  requires: { '@edge/core': `^${CONTRACT_VERSIONS['@edge/core']}`, '@edge/protocol': `^${CONTRACT_VERSIONS['@edge/protocol']}` },
  wire: { module: 'forwarder', group: 'forwarders' },
  config: { path: 'modules.forwarder', token: token<object>('test', 'config'), parse: () => ({}) },
  routes: [route(defineKind('question', { operation: 'query' }), 'questions', (module: Forwarder, _body, message) => module.ask(message))],
  entry: Entry,
  bindings: (bind) => provide(bind, Entry, Forwarder, { bus: MessageBus }),
});

describeModule(forwarder, async () => ({}));

it('[testing-1.1] runs a module among played neighbours', async () => {
  await using running = await runModule(forwarder, {
    neighbours: (bus) => void bus.play('other', 'neighbours', (message) => `echo of ${String(message.content)}`),
  });
  const question = createMessage({ source: 'test', group: 'forwarders', operation: 'query', resource: 'default/pod/p', content: 'hello' });
  const answer = await running.bus.bus.request({ module: 'forwarder' }, question);
  expect(answer.content).toBe('echo of hello');
});
