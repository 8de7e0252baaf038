import { createHash } from 'node:crypto';
import { errorCode } from '@edge/core';
import type { CallAnswer, CallRequest } from './call-content.js';

interface Known {
  readonly answer: Promise<CallAnswer>;
  /** Milliseconds; undefined while the service works on it. */
  endedAt?: number;
  bytes: number;
  /** False when the router got 200 for it: the same again is a new request. */
  mayComeAgain: boolean;
}

const SAFE_TO_REPEAT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);
const MAY_HAVE_WORKED = ['servicebus.no-answer', 'servicebus.broken-answer', 'servicebus.answer-too-large'];
/** Answers that are kept; the oldest go first. */
const KEPT_BYTES = 16 * 1024 * 1024;
const KEPT = 1000;

/**
 * Recognises what the cloud's router sends again. It repeats a request up to three times under new ids, when the answer was not 200 or
 * did not come; a service would do the same work again. The same method, target, headers and body within the window get the answer of
 * the first. A request that was answered with 200 is never taken for a repeat of itself.
 */
export class Repeats {
  readonly #windowMs: number;
  readonly #known = new Map<string, Known>();
  #bytes = 0;

  /** @param windowMs milliseconds; 0: nothing is recognised */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** The answer of an earlier request that this one repeats, or of `ask`. */
  once(resource: string, request: CallRequest, ask: () => Promise<CallAnswer>, now: () => number = Date.now): Promise<CallAnswer> {
    if (this.#windowMs === 0 || SAFE_TO_REPEAT.has(request.method)) return ask();
    this.#forgetOld(now());
    const key = keyOf(resource, request);
    const known = this.#known.get(key);
    if (known?.mayComeAgain) return known.answer;
    this.#forget(key);
    const fresh: Known = { answer: ask(), bytes: 0, mayComeAgain: true };
    this.#known.set(key, fresh);
    fresh.answer.then(
      ({ status, body }) => {
        fresh.endedAt = now();
        fresh.mayComeAgain = status !== 200;
        if (this.#known.get(key) !== fresh) return;
        fresh.bytes = fresh.mayComeAgain ? body.length : 0;
        this.#bytes += fresh.bytes;
        this.#forgetOld(now());
      },
      (error: unknown) => {
        fresh.endedAt = now();
        // The service got nothing of it: the next try is a first one.
        if (!MAY_HAVE_WORKED.includes(errorCode(error)) && this.#known.get(key) === fresh) this.#forget(key);
      },
    );
    return fresh.answer;
  }

  #forgetOld(now: number): void {
    for (const [key, { endedAt }] of this.#known) {
      const isOld = endedAt !== undefined && (now - endedAt >= this.#windowMs || now < endedAt);
      if (isOld || this.#bytes > KEPT_BYTES || this.#known.size > KEPT) this.#forget(key);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#known.get(key)?.bytes ?? 0;
    this.#known.delete(key);
  }
}

function keyOf(resource: string, { method, headers, body }: CallRequest): string {
  const sorted = Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify([resource, method, sorted])).update(body).digest('base64');
}
