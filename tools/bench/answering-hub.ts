import { CloudLinkWriter, defineModule, provide, route, token, type Life, type ModuleDefinition, type Runnable, type WritableCell, type LinkStatus } from '@edge/core';
import { createResponse, defineKind, Groups, Modules, Operations, type Message } from '@edge/protocol';

/** In place of edgehub: the link is up, and the cloud has answered each message before it was sent. */
class AnsweringHub implements Runnable {
  readonly #link: WritableCell<LinkStatus>;

  constructor(deps: { link: WritableCell<LinkStatus> }) {
    this.#link = deps.link;
  }

  async run({ signal, ready }: Life): Promise<void> {
    ready();
    this.#link.set({ connected: true, session: 1, since: Date.now() });
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  answer(message: Message): Message {
    heard += 1;
    return createResponse(message, 'OK', { source: 'devicecontroller' });
  }
}

let heard = 0;

/** Messages for the cloud so far. */
export function heardByCloud(): number {
  return heard;
}

const Entry = token<AnsweringHub>('bench', 'AnsweringHub');
const anything = defineKind('anything', { operation: [Operations.update, Operations.upload, Operations.get] });

export const answeringHub: ModuleDefinition = defineModule({
  name: 'edgehub',
  packageName: '@edge/bench',
  version: '0.1.0',
  requires: {},
  wire: { module: Modules.edgeHub, group: Groups.hub },
  config: { path: 'bench.hub', token: token<object>('bench', 'Hub'), parse: () => ({}) },
  routes: [route(anything, 'all', (hub: AnsweringHub, _body, message) => hub.answer(message))],
  entry: Entry,
  bindings: (bind) => provide(bind, Entry, AnsweringHub, { link: CloudLinkWriter }),
}) as unknown as ModuleDefinition;
