import { serviceBusError } from './errors.js';

/** What is under way at a time: so many, and so many bytes of bodies. Beyond that the next one is refused at once. */
export class Budget {
  readonly #limits: { readonly count: number; readonly bytes: number };
  #count = 0;
  #bytes = 0;

  constructor(limits: { count: number; bytes: number }) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * A place until it is disposed.
   * @throws EdgeError `servicebus.busy`
   */
  enter(): Share {
    if (this.#count >= this.#limits.count) throw serviceBusError('servicebus.busy', `${this.#limits.count} requests are under way on this node already; try again later`);
    this.#count += 1;
    let held = 0;
    let left = false;
    return {
      add: (bytes) => {
        if (left) return;
        if (this.#bytes + bytes > this.#limits.bytes) throw serviceBusError('servicebus.busy', `the requests under way on this node hold ${this.#bytes} bytes already; try again later`);
        this.#bytes += bytes;
        held += bytes;
      },
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        this.#count -= 1;
        this.#bytes -= held;
      },
    };
  }
}

/** One place of the budget. */
export interface Share extends Disposable {
  /**
   * Counts bytes that are held in memory as long as the place is.
   * @throws EdgeError `servicebus.busy`
   */
  add(bytes: number): void;
}
