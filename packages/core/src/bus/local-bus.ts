import type { Message } from '@edge/protocol';
import { abortError, EdgeError } from '../errors.js';
import type { Mailbox } from './mailbox.js';
import type { MessageBus, RequestOptions, Target } from './message-bus.js';

/** A module as the bus sees it. */
export interface Endpoint {
  readonly module: string;
  readonly group: string;
  readonly mailbox: Mailbox;
}

interface Waiter {
  readonly expected: number;
  readonly answers: Message[];
  readonly resolve: (answers: Message[]) => void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DONE: Promise<void> = Promise.resolve();

/** The bus within one process. */
export class LocalBus implements MessageBus {
  readonly #modules = new Map<string, Endpoint>();
  readonly #groups = new Map<string, Endpoint[]>();
  readonly #waiters = new Map<string, Waiter>();

  /** Adds a module until the result is disposed. */
  attach(endpoint: Endpoint): Disposable {
    if (this.#modules.has(endpoint.module)) {
      throw new EdgeError('bus.name-taken', `two modules want the name "${endpoint.module}" on the bus; each needs its own`);
    }
    this.#modules.set(endpoint.module, endpoint);
    this.#groups.set(endpoint.group, [...(this.#groups.get(endpoint.group) ?? []), endpoint]);
    return {
      [Symbol.dispose]: () => {
        this.#modules.delete(endpoint.module);
        this.#groups.set(endpoint.group, (this.#groups.get(endpoint.group) ?? []).filter((other) => other !== endpoint));
      },
    };
  }

  send(to: Target, message: Message): Promise<void> {
    if ('module' in to) {
      const endpoint = this.#modules.get(to.module);
      if (!endpoint) return Promise.reject(noReceiver(to, message));
      return put(endpoint, message) ?? DONE;
    }
    const members = this.#members(to);
    if (members.length === 0) return Promise.reject(noReceiver(to, message));
    const pending = members.map((endpoint) => put(endpoint, message)).filter((wait) => wait !== undefined);
    return pending.length === 0 ? DONE : Promise.all(pending).then(() => undefined);
  }

  async request(to: Target, message: Message, options: RequestOptions = {}): Promise<Message> {
    const [answer] = await this.#ask(to, message, 1, options);
    return answer as Message;
  }

  requestAll(to: { readonly group: string }, message: Message, options: RequestOptions = {}): Promise<Message[]> {
    return this.#ask(to, message, this.#members(to).length, options);
  }

  respond(answer: Message): boolean {
    const parent = answer.header.parentId;
    const waiter = parent === undefined ? undefined : this.#waiters.get(parent);
    if (!waiter || parent === undefined) return false;
    waiter.answers.push(answer);
    if (waiter.answers.length >= waiter.expected) {
      this.#waiters.delete(parent);
      waiter.resolve(waiter.answers);
    }
    return true;
  }

  awaited(messageId: string): boolean {
    return this.#waiters.has(messageId);
  }

  reaches(to: Target): boolean {
    return this.#members(to).length > 0;
  }

  /** Lanes that have not moved for that long although messages wait in them: `module/lane`. */
  heldUp(limitMs: number, now: number = performance.now()): string[] {
    return [...this.#modules.values()].flatMap(({ module, mailbox }) => mailbox.heldUp(limitMs, now).map((lane) => `${module}/${lane}`));
  }

  async #ask(to: Target, message: Message, expected: number, options: RequestOptions): Promise<Message[]> {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    if (signal?.aborted) throw abortError(signal);
    const id = message.header.id;
    if (this.#waiters.has(id)) {
      throw new EdgeError('bus.duplicate-request', `message ${id} (${describe(message)}) is already waiting for its answer`);
    }
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<Message[]>((resolve, reject) => {
        this.#waiters.set(id, { expected, answers: [], resolve });
        timer = setTimeout(() => reject(timeout(to, message, timeoutMs)), timeoutMs);
        if (signal) {
          onAbort = () => reject(abortError(signal));
          signal.addEventListener('abort', onAbort, { once: true });
        }
        this.send(to, message).catch(reject);
      });
    } finally {
      clearTimeout(timer);
      if (onAbort) signal?.removeEventListener('abort', onAbort);
      this.#waiters.delete(id);
    }
  }

  #members(to: Target): readonly Endpoint[] {
    if ('group' in to) return this.#groups.get(to.group) ?? [];
    const endpoint = this.#modules.get(to.module);
    return endpoint ? [endpoint] : [];
  }
}

function put(endpoint: Endpoint, message: Message): Promise<void> | undefined {
  return endpoint.mailbox.put(
    message,
    (lane, capacity) =>
      new EdgeError(
        'bus.lane-full',
        `lane "${lane}" of module ${endpoint.module} is full (${capacity} messages and as many senders wait): ${describe(message)} was not taken`,
      ),
  );
}

function name(to: Target): string {
  return 'module' in to ? `module ${to.module}` : `group ${to.group}`;
}

function noReceiver(to: Target, message: Message): EdgeError {
  return new EdgeError('bus.no-receiver', `no ${name(to)} is running, ${describe(message)} was not delivered`);
}

function timeout(to: Target, message: Message, timeoutMs: number): EdgeError {
  return new EdgeError('bus.timeout', `${name(to)} did not answer ${describe(message)} within ${timeoutMs} ms`);
}

/** Operation and resource, for error texts. */
function describe(message: Message): string {
  return `${message.route.operation} ${message.route.resource}`;
}
