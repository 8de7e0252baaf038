import { LocalBus, Mailbox } from '@edge/core';
import { createResponse, type Message } from '@edge/protocol';

/** What a scripted module answers: a content, a whole message, or nothing. */
export type Script = (message: Message) => unknown;

/** A real bus on which neighbours are played by functions and everything they get is recorded. */
export interface TestBus {
  readonly bus: LocalBus;
  /** Plays a module. Returned values other than undefined become the answer's content; a `Message` is the answer itself. */
  play(module: string, group: string, script?: Script): PlayedModule;
}

/** A module that is only played. */
export interface PlayedModule extends Disposable {
  readonly received: Message[];
  /** Resolves with the first message, received already or later, that fits. Rejects after `timeoutMs` (5 s). */
  next(fits: (message: Message) => boolean, timeoutMs?: number): Promise<Message>;
}

/** Makes a test bus over `bus` or a new one. */
export function createTestBus(bus: LocalBus = new LocalBus()): TestBus {
  return { bus, play: (module, group, script) => playModule(bus, module, group, script) };
}

function playModule(bus: LocalBus, module: string, group: string, script: Script = () => undefined): PlayedModule {
  const received: Message[] = [];
  const listeners = new Set<(message: Message) => void>();
  const mailbox = new Mailbox();
  const attached = bus.attach({ module, group, mailbox });
  mailbox.open(
    () => 'played',
    async (message) => {
      received.push(message);
      for (const listener of [...listeners]) listener(message);
      const answer: unknown = await script(message);
      if (answer !== undefined) bus.respond(isMessage(answer) ? answer : createResponse(message, answer));
    },
  );
  return {
    received,
    next: (fits, timeoutMs = 5000) =>
      new Promise((resolve, reject) => {
        const known = received.find(fits);
        if (known) return resolve(known);
        const timer = setTimeout(() => {
          listeners.delete(listener);
          const got = received.map(({ route }) => `${route.operation} ${route.resource}`).join(', ');
          reject(new Error(`${module} did not get the expected message within ${timeoutMs} ms; it got: ${got || 'nothing'}`));
        }, timeoutMs);
        const listener = (message: Message): void => {
          if (!fits(message)) return;
          clearTimeout(timer);
          listeners.delete(listener);
          resolve(message);
        };
        listeners.add(listener);
      }),
    [Symbol.dispose]: () => attached[Symbol.dispose](),
  };
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'header' in value && 'route' in value;
}

/** For expectations: where a message goes and what it is about. */
export function brief(message: Message): string {
  return `${message.route.source}/${message.route.group} ${message.route.operation} ${message.route.resource}`;
}
