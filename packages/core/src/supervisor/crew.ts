import type { WritableCell } from '../cell.js';
import type { ModuleHealth } from '../health.js';
import type { Logger } from '../ports/logger.js';
import { untilAborted } from '../time.js';
import type { Seat } from './seat.js';

export interface CrewDeps {
  /** In the order in which they start. */
  readonly seats: readonly Seat[];
  readonly health: WritableCell<Readonly<Record<string, ModuleHealth>>>;
  readonly log: Logger;
  /** Milliseconds all together may take to stop, beside what some ask for themselves. */
  readonly stopTimeoutMs: number;
}

/** The seats of one running agent: started one after the other, stopped in reverse. */
export class Crew {
  readonly #deps: CrewDeps;
  readonly #begun: Seat[] = [];
  readonly #complete = new AbortController();

  constructor(deps: CrewDeps) {
    this.#deps = deps;
  }

  seat(role: string): Seat | undefined {
    return this.#deps.seats.find(({ name }) => name === role);
  }

  /** Resolves when the last one has been started. */
  complete(): Promise<void> {
    return untilAborted(this.#complete.signal);
  }

  /** Starts all, waits for the signal, stops all. */
  async run(signal: AbortSignal): Promise<void> {
    const { seats, health } = this.#deps;
    const attached = seats.map((seat) => seat.attach());
    // All from the start, so that whoever looks does not take the first ones for the whole.
    health.set(Object.fromEntries(seats.map((seat) => [seat.name, seat.health.value])));
    const watching = seats.map((seat) => seat.health.subscribe((value) => health.set({ ...health.value, [seat.name]: value })));
    try {
      for (const seat of seats) await this.#start(seat, signal);
      this.#complete.abort();
      await untilAborted(signal);
    } finally {
      this.#complete.abort();
      await this.#stopAll();
      for (const subscription of [...watching, ...attached]) subscription[Symbol.dispose]();
    }
  }

  async #start(seat: Seat, signal: AbortSignal): Promise<void> {
    const needed = this.#deps.seats.filter(({ name }) => seat.after.includes(name));
    await Promise.all(needed.map((other) => settled(other, signal)));
    if (signal.aborted) return;
    for (const other of needed) {
      if (other.health.value.phase === 'ready') continue;
      this.#deps.log.warn('module starts although one that it comes after is not ready', { module: seat.name, notReady: other.name });
    }
    this.#begun.push(seat);
    seat.start();
  }

  async #stopAll(): Promise<void> {
    const { log } = this.#deps;
    const stopTimeoutMs = this.#begun.reduce((sum, seat) => sum + seat.candidate.extraStopMs, this.#deps.stopTimeoutMs);
    const deadline = Date.now() + stopTimeoutMs;
    for (const seat of [...this.#begun].reverse()) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), Math.max(0, deadline - Date.now()));
      });
      const outcome = await Promise.race([seat.stop(), late]);
      clearTimeout(timer);
      if (outcome === 'late') log.error('module did not stop in time and is left behind', { module: seat.name, timeoutMs: stopTimeoutMs });
    }
  }
}

/** Resolves when the module has got past its first start, well or not, or when the signal aborts. */
async function settled(seat: Seat, signal: AbortSignal): Promise<void> {
  await seat.health.until(({ phase }) => phase !== 'waiting' && phase !== 'starting', signal).catch(() => undefined);
}
