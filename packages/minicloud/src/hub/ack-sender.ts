import { abortError, type Backoff, backoffDelay, isAbort } from '@edge/core';
import type { Message } from '@edge/protocol';
import { AckQueue } from './ack-queue.js';

/** When unacknowledged messages go out again. Times in milliseconds. */
export interface RetryPolicy {
  /** From one sending to the next. */
  readonly intervalMs: number;
  /** Repeats before the message is put back. */
  readonly repeats: number;
  /** Pause before a message that was put back is tried again. */
  readonly backoff: Backoff;
}

/** CloudHub's figures: again after 5, 10, 15 and 20 s, put back after 25 s. */
export const DEFAULT_RETRY: RetryPolicy = { intervalMs: 5000, repeats: 4, backoff: { firstMs: 100, factor: 2, limitMs: 60_000, jitter: 0 } };

/** So many messages that were put back are remembered for a late acknowledgement. */
const REMEMBERED = 1024;

export interface AckSenderDeps {
  readonly send: (message: Message) => void;
  readonly onAcknowledged: (message: Message) => void;
  readonly retry: RetryPolicy;
}

/** Sends what needs an acknowledgement: one message at a time, again when none comes, unchanged. */
export class AckSender {
  readonly #deps: AckSenderDeps;
  readonly #queue = new AckQueue();
  readonly #givenUp = new Map<string, Message>();
  #awaited: { readonly id: string; readonly resolve: (acknowledged: boolean) => void } | undefined;
  #wake: (() => void) | undefined;

  constructor(deps: AckSenderDeps) {
    this.#deps = deps;
  }

  /** Messages that are not acknowledged yet. */
  get pending(): number {
    return this.#queue.size;
  }

  offer(message: Message): boolean {
    const taken = this.#queue.offer(message);
    if (taken) this.#wake?.();
    return taken;
  }

  /** An acknowledgement has come, for the message in flight or, late, for one that was put back. */
  acknowledge(messageId: string): void {
    if (this.#awaited?.id === messageId) {
      this.#awaited.resolve(true);
      return;
    }
    const late = this.#givenUp.get(messageId);
    if (!late) return;
    this.#givenUp.delete(messageId);
    this.#queue.forget(messageId);
    this.#deps.onAcknowledged(late);
  }

  /** Sends until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const flight = this.#queue.take(Date.now());
        if (!flight) {
          await this.#idle(signal);
          continue;
        }
        const acknowledged = await this.#deliver(flight.message, signal);
        if (acknowledged) {
          this.#givenUp.delete(flight.message.header.id);
          this.#deps.onAcknowledged(flight.message);
        } else {
          this.#remember(flight.message);
        }
        this.#queue.settle(acknowledged, Date.now() + backoffDelay(this.#deps.retry.backoff, flight.rounds, 0.5));
      }
    } catch (error) {
      if (!isAbort(error)) throw error;
    }
  }

  #deliver(message: Message, signal: AbortSignal): Promise<boolean> {
    const { send, retry } = this.#deps;
    return new Promise((resolve, reject) => {
      let repeats = retry.repeats;
      const end = (): void => {
        clearInterval(timer);
        signal.removeEventListener('abort', onAbort);
        this.#awaited = undefined;
      };
      const settle = (acknowledged: boolean): void => {
        end();
        resolve(acknowledged);
      };
      const onAbort = (): void => {
        end();
        reject(abortError(signal));
      };
      const timer = setInterval(() => {
        if (repeats <= 0) return settle(false);
        repeats -= 1;
        send(message);
      }, retry.intervalMs);
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      this.#awaited = { id: message.header.id, resolve: settle };
      send(message);
    });
  }

  /** Waits for a new message or until one that was put back may go again. */
  #idle(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = this.#queue.nextTime();
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#wake = undefined;
      };
      const onAbort = (): void => {
        end();
        reject(abortError(signal));
      };
      const wake = (): void => {
        end();
        resolve();
      };
      const timer = next === undefined ? undefined : setTimeout(wake, Math.max(1, next - Date.now()));
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      this.#wake = wake;
    });
  }

  #remember(message: Message): void {
    this.#givenUp.set(message.header.id, message);
    if (this.#givenUp.size <= REMEMBERED) return;
    const oldest = this.#givenUp.keys().next().value;
    if (oldest !== undefined) this.#givenUp.delete(oldest);
  }
}
