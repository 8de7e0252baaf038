import { type Message, Operations } from '@edge/protocol';
import { compareVersions, endsObject, queueKey } from './delivery.js';

interface Entry {
  readonly message: Message;
  /** Not before this time, milliseconds since the epoch. */
  readonly notBefore: number;
  /** How many rounds of sending it has had. */
  readonly rounds: number;
}

/** A message that is being sent. */
export interface InFlight {
  readonly key: string;
  readonly message: Message;
  readonly rounds: number;
}

/**
 * What waits to be sent to one node and acknowledged by it. Per object only the newest state waits; the end of an
 * object is never replaced by a change. One message is in flight at a time. Holds no clock and no timer.
 */
export class AckQueue {
  readonly #waiting = new Map<string, Entry>();
  #inFlight: InFlight | undefined;

  get size(): number {
    return this.#waiting.size + (this.#inFlight ? 1 : 0);
  }

  /** Puts a message in. False: it tells nothing new, or it cannot be delivered. */
  offer(message: Message): boolean {
    const key = queueKey(message);
    if (key === undefined) return false;
    if (this.#inFlight?.key === key && !tellsMore(message, this.#inFlight.message)) return false;
    const stored = this.#waiting.get(key);
    if (stored && !tellsMore(message, stored.message)) return false;
    // A replaced message keeps its place, so that a busy object cannot be overtaken for ever.
    this.#waiting.set(key, { message, notBefore: 0, rounds: 0 });
    return true;
  }

  /** Takes the first message whose time has come; it is in flight until `settle`. */
  take(now: number): InFlight | undefined {
    for (const [key, entry] of this.#waiting) {
      if (entry.notBefore > now) continue;
      this.#waiting.delete(key);
      this.#inFlight = { key, message: entry.message, rounds: entry.rounds };
      return this.#inFlight;
    }
    return undefined;
  }

  /** When the next message may be taken; undefined when none waits. */
  nextTime(): number | undefined {
    let next: number | undefined;
    for (const { notBefore } of this.#waiting.values()) next = Math.min(next ?? Infinity, notBefore);
    return next;
  }

  /** Ends the flight. Unacknowledged, the message waits again until `retryAt`, unless something newer waits already. */
  settle(acknowledged: boolean, retryAt = 0): void {
    const flight = this.#inFlight;
    this.#inFlight = undefined;
    if (!flight || acknowledged || this.#waiting.has(flight.key)) return;
    this.#waiting.set(flight.key, { message: flight.message, notBefore: retryAt, rounds: flight.rounds + 1 });
  }

  /** Takes out a waiting message by its id, when a late acknowledgement makes it needless. */
  forget(messageId: string): void {
    for (const [key, entry] of this.#waiting) if (entry.message.header.id === messageId) this.#waiting.delete(key);
  }
}

/** Whether `next` has to be sent although `known` of the same object waits or is on its way. */
function tellsMore(next: Message, known: Message): boolean {
  if (known.route.operation === Operations.delete) return false;
  if (next.route.operation === Operations.delete) return true;
  if (endsObject(known) && !endsObject(next)) return false;
  return compareVersions(next.header.resourceVersion, known.header.resourceVersion) > 0;
}
