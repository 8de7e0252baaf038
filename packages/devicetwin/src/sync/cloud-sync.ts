import { errorCode, errorText, isAbort, untilAborted, type CloudLink, type Logger, type MessageBus, type Store } from '@edge/core';
import { Groups, Operations, type Message } from '@edge/protocol';
import type { DeviceBook } from '../devices/device-book.js';
import type { Confirmations } from './confirmations.js';
import { lineKey, newLine, nextLine, type Line, type Subject } from './line.js';
import { NO_PAUSE, pauseAfter } from './pauses.js';
import { compose, oldestOpen, type Telling } from './telling.js';

export interface CloudSyncDeps {
  readonly book: DeviceBook;
  readonly confirmations: Confirmations;
  readonly store: Store;
  readonly bus: MessageBus;
  readonly link: CloudLink;
  readonly log: Logger;
}

/** Milliseconds that a line waits for its answer before others may have its place; an answer that comes later still counts. */
const ANSWER_MS = 2000;
/** Messages under way. edgehub's limiter says how fast they leave. */
const WINDOW = 32;
/** Answers that may still come. */
const REMEMBERED = 1024;

interface Flight {
  readonly line: Line;
  readonly telling: Telling;
}

/**
 * Brings what the cloud does not know yet to the cloud, as soon as there is a link: one message a device at a time with all
 * that is open, oldest change first, each value with its own time. What counts as known is in `Confirmations`; nothing is
 * queued, so that at most one value a property is ever open.
 */
export class CloudSync {
  readonly #deps: CloudSyncDeps;
  readonly #lines = new Map<string, Line>();
  readonly #remembered = new Map<string, Flight>();
  readonly #flights = new Set<Promise<void>>();
  #signal: AbortSignal | undefined;
  #soon: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: CloudSyncDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { book, confirmations, link } = this.#deps;
    this.#signal = signal;
    for (const device of book.all) {
      const since = oldestOpen(device, confirmations);
      if (since !== undefined) this.#line(device.id, 'twin', since);
      if (confirmations.stateOpen(device)) this.#line(device.id, 'state', 0);
    }
    using _following = link.subscribe((now, before) => {
      if (now.connected && now.session !== before.session) this.#newSession();
      this.#pumpSoon();
    });
    this.#pumpSoon();
    await untilAborted(signal);
    this.#signal = undefined;
    clearTimeout(this.#timer);
    clearImmediate(this.#soon);
    await Promise.all(this.#flights);
  }

  /** A twin changed and is on the disk. @param touched properties to mention though their versions stand */
  twinChanged(deviceId: string, touched: readonly string[] = []): void {
    const line = this.#line(deviceId, 'twin', Date.now());
    for (const name of touched) line.touched.add(name);
    line.fresh = true;
    this.#pumpSoon();
  }

  /** A state changed and is on the disk. @param text as it was published */
  stateChanged(deviceId: string, text: string): void {
    const line = this.#line(deviceId, 'state', Date.now());
    line.stateText = text;
    line.fresh = true;
    this.#pumpSoon();
  }

  /** The cloud has just shown that it knows the device: what it did not answer is worth another try. */
  encourage(deviceId: string): void {
    for (const subject of ['twin', 'state'] as const) {
      const line = this.#lines.get(lineKey(deviceId, subject));
      if (line) Object.assign(line, { silences: 0, pause: NO_PAUSE });
    }
    this.#pumpSoon();
  }

  /** The cloud has these properties anew; what it was told of them before, it has passed over. */
  async tellAgain(deviceId: string, names: readonly string[]): Promise<void> {
    const { confirmations, store } = this.#deps;
    const line = this.#lines.get(lineKey(deviceId, 'twin'));
    for (const name of names) line?.sends.delete(name);
    const known = names.filter((name) => confirmations.knows(deviceId, name));
    if (known.length === 0) return;
    await store.commit(() => known.forEach((name) => confirmations.forgetOne(deviceId, name)));
    this.twinChanged(deviceId);
  }

  forget(deviceId: string): void {
    this.#lines.delete(lineKey(deviceId, 'twin'));
    this.#lines.delete(lineKey(deviceId, 'state'));
  }

  /** An answer that nobody waits for any more. */
  lateAnswer(answer: Message): void {
    const flight = this.#remembered.get(answer.header.parentId ?? '');
    if (flight === undefined || answer.route.operation !== Operations.response) return;
    this.#remembered.delete(answer.header.parentId ?? '');
    this.#track(this.#confirmed(flight));
  }

  #line(deviceId: string, subject: Subject, since: number): Line {
    const key = lineKey(deviceId, subject);
    let line = this.#lines.get(key);
    if (line === undefined) this.#lines.set(key, (line = newLine(deviceId, subject, since)));
    return line;
  }

  #newSession(): void {
    this.#remembered.clear();
    for (const line of this.#lines.values()) Object.assign(line, { silences: 0, pause: NO_PAUSE });
  }

  #pumpSoon(): void {
    if (this.#signal === undefined || this.#soon !== undefined) return;
    this.#soon = setImmediate(() => {
      this.#soon = undefined;
      this.#pump();
    });
  }

  #pump(): void {
    clearTimeout(this.#timer);
    const { book, confirmations, link } = this.#deps;
    while (this.#signal && link.value.connected && this.#flights.size < WINDOW) {
      const now = Date.now();
      const { line, lookAgain } = nextLine(this.#lines.values(), now);
      if (line === undefined) {
        if (lookAgain < Infinity) this.#timer = setTimeout(() => this.#pump(), Math.max(1, lookAgain - now));
        return;
      }
      const device = book.get(line.deviceId);
      const telling = device && compose(line, device, confirmations, now);
      if (telling === undefined) this.#lines.delete(line.key);
      else this.#track(this.#fly({ line, telling }, this.#signal));
    }
  }

  #track(work: Promise<void>): void {
    this.#flights.add(work);
    void work.then(() => {
      this.#flights.delete(work);
      this.#pumpSoon();
    });
  }

  async #fly(flight: Flight, signal: AbortSignal): Promise<void> {
    const { line, telling } = flight;
    const { bus, book } = this.#deps;
    line.inFlight = true;
    line.fresh = false;
    for (const name of telling.told.keys()) line.sends.set(name, (line.sends.get(name) ?? 0) + 1);
    try {
      // What is told must not be lost again by a power cut.
      await book.flush();
      this.#remember(flight);
      const answer = await bus.request({ group: Groups.hub }, telling.message, { timeoutMs: ANSWER_MS, signal });
      this.#remembered.delete(telling.message.header.id);
      if (answer.route.operation === Operations.response) await this.#confirmed(flight);
      else this.#unsent(flight);
    } catch (error) {
      if (isAbort(error)) return;
      if (errorCode(error) !== 'bus.timeout') this.#unsent(flight);
      this.#silence(line, error);
    } finally {
      line.inFlight = false;
    }
  }

  /** The link broke: whether the cloud has it, nobody knows. It does not count as told. */
  #unsent({ line, telling }: Flight): void {
    line.pause = pauseAfter(1, Date.now());
    for (const name of telling.told.keys()) line.sends.set(name, (line.sends.get(name) ?? 1) - 1);
  }

  #remember(flight: Flight): void {
    this.#remembered.set(flight.telling.message.header.id, flight);
    const oldest: string | undefined = this.#remembered.keys().next().value;
    if (this.#remembered.size > REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }

  #silence(line: Line, error: unknown): void {
    line.silences += 1;
    line.pause = pauseAfter(line.silences, Date.now());
    const fields = { device: line.deviceId, subject: line.subject, times: line.silences, err: errorText(error) };
    if (errorCode(error) !== 'bus.timeout') this.#deps.log.warn('the cloud could not be told about a device; it is tried again', fields);
    else this.#deps.log.verbose(2, 'the cloud did not answer a report about a device; it is sent again', fields);
  }

  /** The cloud has the message; what it told is known now, unless it was the very first about a property. */
  async #confirmed({ line, telling }: Flight): Promise<void> {
    const { confirmations, store, log } = this.#deps;
    // The device was removed meanwhile; the one of its name that is there now is another.
    const stands = (): boolean => this.#lines.get(line.key) === line;
    if (!stands()) return;
    line.silences = 0;
    line.pause = NO_PAUSE;
    line.since = Date.now();
    if (!line.fresh) {
      for (const name of telling.told.keys()) line.touched.delete(name);
      line.stateText = undefined;
    }
    // Clouds v1.16 to v1.23 answer the first report of a property and lose its value; the second one they keep.
    const sure = [...telling.told].filter(([name]) => line.subject === 'state' || confirmations.knows(line.deviceId, name) || (line.sends.get(name) ?? 0) > 1);
    if (sure.length === 0) return;
    try {
      await store.commit(() => {
        for (const [name, told] of sure) confirmations.put(line.deviceId, name, told);
      });
      for (const [name] of sure) line.sends.delete(name);
    } catch (error) {
      line.pause = pauseAfter(4, Date.now());
      log.warn('what the cloud has confirmed about a device could not be stored; it will be told again', { device: line.deviceId, err: errorText(error) });
    }
  }
}
