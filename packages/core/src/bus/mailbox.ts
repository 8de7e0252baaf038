import type { Message } from '@edge/protocol';
import { Lane, type Receive } from './lane.js';

/** Which lane a message takes. */
export type ChooseLane = (message: Message) => string;

/** Places in each lane unless the module says otherwise; upstream's channel has as many. */
export const DEFAULT_LANE_CAPACITY = 1024;

/**
 * The messages of one module, in lanes. It outlives the module's instances: what arrives while the module restarts
 * waits here and is handled by the next instance.
 */
export class Mailbox {
  readonly #lanes = new Map<string, Lane>();
  /** What comes while nobody handles messages: its lane is known when somebody does. */
  #arrivals: Lane | undefined;
  #capacity: number;
  #choose: ChooseLane = () => '';
  #receive: Receive | undefined;

  constructor(capacity: number = DEFAULT_LANE_CAPACITY) {
    this.#capacity = capacity;
  }

  /** Messages waiting in all lanes. */
  get backlog(): number {
    let sum = this.#arrivals?.length ?? 0;
    for (const lane of this.#lanes.values()) sum += lane.length;
    return sum;
  }

  /** Lanes in which others have waited that long for the message in hand. None while the module does not run. */
  heldUp(limitMs: number, now: number): string[] {
    if (!this.#receive) return [];
    return [...this.#lanes].filter(([, lane]) => lane.heldUpMs(now) >= limitMs).map(([name]) => name);
  }

  /**
   * Starts (or goes on) handling.
   * @param capacity places per lane from here on; as before unless given
   */
  open(choose: ChooseLane, receive: Receive, capacity = this.#capacity): void {
    // Everything is dealt out anew, what came last at the end: order per lane holds.
    const closed = [...this.#lanes.values(), ...(this.#arrivals ? [this.#arrivals] : [])];
    this.#lanes.clear();
    this.#arrivals = undefined;
    this.#capacity = capacity;
    this.#choose = choose;
    this.#receive = receive;
    for (const message of closed.flatMap((lane) => lane.drain())) this.#lane(choose(message)).push(message);
  }

  /** Stops handling after the message in hand; what waits stays. */
  shut(): void {
    this.#receive = undefined;
    for (const lane of this.#lanes.values()) lane.pause();
  }

  /** Resolves when, once shut, no message is in hand in any lane. */
  async atRest(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.atRest()));
  }

  /** Takes a message; resolves when it has a place. Rejects by `onFull` when even the waiting room is full. */
  put(message: Message, onFull: (lane: string, capacity: number) => Error): Promise<void> | undefined {
    const name = this.#receive ? this.#choose(message) : '';
    const lane = this.#receive ? this.#lane(name) : this.#arrivalLane();
    if (!lane.full) {
      lane.push(message);
      return undefined;
    }
    if (lane.waiting >= this.#capacity) return Promise.reject(onFull(name, this.#capacity));
    return lane.place(message);
  }

  #arrivalLane(): Lane {
    this.#arrivals ??= new Lane(() => undefined, this.#capacity, true, () => undefined);
    return this.#arrivals;
  }

  #lane(name: string): Lane {
    const known = this.#lanes.get(name);
    if (known) return known;
    const lane: Lane = new Lane(
      (message) => this.#receive?.(message),
      this.#capacity,
      false,
      () => {
        if (lane.length === 0 && lane.waiting === 0 && this.#lanes.get(name) === lane) this.#lanes.delete(name);
      },
    );
    this.#lanes.set(name, lane);
    return lane;
  }
}
