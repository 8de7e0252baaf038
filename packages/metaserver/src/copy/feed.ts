import { errorText, sleep, type Logger, type MessageBus } from '@edge/core';
import { createMessage, Groups, isFields, Operations, Sources, type KubeObject, type Message } from '@edge/protocol';
import { metaServerError } from '../errors.js';
import type { CopyItem, ObjectCopy } from './object-copy.js';

const RESOURCE = 'stored/objects';
/** Reading everything from the disk may take its time on a small machine. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 1000;

interface Told {
  readonly epoch: string;
  readonly sequence: number;
  readonly items: readonly CopyItem[];
}

/** metamanager's objects: everything once, then each change in order; everything again when a message is missing. [metaserver-2] */
export class Feed {
  readonly #bus: MessageBus;
  readonly #log: Logger;
  #copy: ObjectCopy | undefined;
  #epoch = '';
  #sequence = 0;
  #turn: Promise<void> = Promise.resolve();
  readonly #waiting = new Set<{ readonly epoch: string; readonly sequence: number; readonly resolve: () => void }>();

  constructor(deps: { bus: MessageBus; log: Logger }) {
    this.#bus = deps.bus;
    this.#log = deps.log;
  }

  /** @throws EdgeError as `MessageBus.request`, `metaserver.no-objects` */
  async begin(open: (items: readonly CopyItem[]) => Promise<ObjectCopy>, signal: AbortSignal): Promise<ObjectCopy> {
    const beginning = this.#begin(open, signal);
    this.#turn = beginning.then(() => undefined, () => undefined);
    return beginning;
  }

  async #begin(open: (items: readonly CopyItem[]) => Promise<ObjectCopy>, signal: AbortSignal): Promise<ObjectCopy> {
    const everything = await this.#ask(signal);
    const copy = await open(everything.items);
    this.#copy = copy;
    this.#at(everything);
    return copy;
  }

  /** A message of metamanager. Handled in order, and after `begin`: what comes meanwhile may be newer than its answer. */
  async take(message: Message, signal: AbortSignal): Promise<void> {
    const told = readTold(message);
    this.#turn = this.#turn.then(() => this.#follow(told, signal));
    return this.#turn;
  }

  /** Gives metamanager what was read in the cloud; resolves when clients see what it made of it. */
  async record(objects: readonly KubeObject[], absent: readonly KubeObject[], signal: AbortSignal): Promise<void> {
    const content = { objects, absent };
    const answer = await this.#bus.request(
      { group: Groups.meta },
      createMessage({ source: Sources.metaServer, group: Groups.meta, operation: Operations.update, resource: RESOURCE, content }),
      { timeoutMs: PATIENCE_MS, signal },
    );
    if (answer.route.operation === Operations.error) throw metaServerError('metaserver.no-objects', `what the cloud answered was not stored: ${String(answer.content)}`);
    const { epoch, sequence } = readTold({ ...answer, content: { items: [], ...(answer.content as object) } });
    await this.#reached(epoch, sequence, signal);
  }

  async #follow(told: Told, signal: AbortSignal): Promise<void> {
    if (this.#copy === undefined || (told.epoch === this.#epoch && told.sequence <= this.#sequence)) return;
    try {
      if (told.epoch !== this.#epoch || told.sequence > this.#sequence + 1) return await this.#again(signal);
      await this.#copy.apply(told.items);
      this.#at(told);
    } catch (error) {
      this.#log.warn('objects could not be taken over; all of them are asked for again', { err: errorText(error) });
      await this.#again(signal);
    }
  }

  /** Until it succeeds: without it the API would show an old state for ever. */
  async #again(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const everything = await this.#ask(signal);
        await this.#copy?.replace(everything.items);
        return this.#at(everything);
      } catch (error) {
        if (signal.aborted) return;
        this.#log.warn('metamanager does not give its objects; asking again', { err: errorText(error) });
        await sleep(PAUSE_MS, signal).catch(() => undefined);
      }
    }
  }

  async #ask(signal: AbortSignal): Promise<Told> {
    const question = createMessage({ source: Sources.metaServer, group: Groups.meta, operation: Operations.get, resource: RESOURCE });
    const answer = await this.#bus.request({ group: Groups.meta }, question, { timeoutMs: PATIENCE_MS, signal });
    if (answer.route.operation === Operations.error) throw metaServerError('metaserver.no-objects', `metamanager does not give its objects: ${String(answer.content)}`);
    return readTold(answer);
  }

  #at({ epoch, sequence }: Told): void {
    this.#epoch = epoch;
    this.#sequence = sequence;
    for (const waiter of [...this.#waiting]) {
      if (waiter.epoch === epoch && waiter.sequence > sequence) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  async #reached(epoch: string, sequence: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || (epoch === this.#epoch && sequence <= this.#sequence)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const waiter = { epoch, sequence, resolve: done };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

function readTold({ content }: Message): Told {
  if (isFields(content) && typeof content.epoch === 'string' && typeof content.sequence === 'number' && Array.isArray(content.items)) return content as unknown as Told;
  throw metaServerError('metaserver.malformed', 'what metamanager tells of its objects is not as agreed');
}
