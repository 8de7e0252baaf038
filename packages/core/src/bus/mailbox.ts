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
  readonly #capacity: number;
  #choose: ChooseLane = () => '';
  #receive: Receive | undefined;

  constructor(capacity: number = DEFAULT_LANE_CAPACITY) {
    this.#capacity = capacity;
  }

  /** Messages waiting in all lanes. */
  get backlog(): number {
    let sum = 0;
    for (const lane of this.#lanes.values()) sum += lane.length;
    return sum;
  }

  /** Lanes in which others have waited that long for the message in hand. None while the module does not run. */
  heldUp(limitMs: number, now: number): string[] {
    if (!this.#receive) return [];
    return [...this.#lanes].filter(([, lane]) => lane.heldUpMs(now) >= limitMs).map(([name]) => name);
  }

  /** Starts (or goes on) handling. */
  open(choose: ChooseLane, receive: Receive): void {
    // What came while shut has no lane yet, so everything is dealt out anew, oldest lanes first: order per lane holds.
    const closed = [...this.#lanes.values()];
    this.#lanes.clear();
    this.#choose = choose;
    this.#receive = receive;
    for (const message of closed.flatMap((lane) => lane.drain())) this.#lane(choose(message)).push(message);
  }

  /** Stops handling after the message in hand; what waits stays. */
  shut(): void {
    this.#receive = undefined;
    for (const lane of this.#lanes.values()) lane.pause();
  }

  /** Takes a message; resolves when it has a place. Rejects by `onFull` when even the waiting room is full. */
  put(message: Message, onFull: (lane: string, capacity: number) => Error): Promise<void> | undefined {
    const name = this.#receive ? this.#choose(message) : '';
    const lane = this.#lane(name);
    if (!lane.full) {
      lane.push(message);
      return undefined;
    }
    if (lane.waiting >= this.#capacity) return Promise.reject(onFull(name, this.#capacity));
    return lane.place(message);
  }

  #lane(name: string): Lane {
    const known = this.#lanes.get(name);
    if (known) return known;
    const lane: Lane = new Lane(
      (message) => this.#receive?.(message),
      this.#capacity,
      this.#receive === undefined,
      () => {
        if (lane.length === 0 && lane.waiting === 0 && this.#lanes.get(name) === lane) this.#lanes.delete(name);
      },
    );
    this.#lanes.set(name, lane);
    return lane;
  }
}
