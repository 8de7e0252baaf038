import { Mailbox } from '../bus/mailbox.js';
import type { LocalBus } from '../bus/local-bus.js';
import { createCell, type Cell } from '../cell.js';
import type { ModuleHealth } from '../health.js';
import type { ModuleDefinition } from '../module.js';
import type { Supervised, Trial } from './supervised.js';

/** A version of a module that can take a seat. */
export interface Candidate {
  readonly definition: ModuleDefinition;
  /** Milliseconds that it may take to stop beyond what every module gets. */
  readonly extraStopMs: number;
  /** A new unit that runs it. */
  readonly unit: (mailbox: Mailbox, trial: Trial | undefined) => Supervised;
}

/** What a role has in the running agent: its mailbox, its place on the bus and its health, which outlast the version that has it. */
export class Seat {
  readonly name: string;
  readonly #bus: LocalBus;
  readonly #mailbox = new Mailbox();
  readonly #health = createCell<ModuleHealth>({ phase: 'waiting', restarts: 0, since: Date.now() });
  readonly #stop = new AbortController();
  #candidate: Candidate;
  #unit: Supervised | undefined;
  #life: Promise<void> = Promise.resolve();
  #watching: Disposable | undefined;
  #attached: Disposable | undefined;

  /** @param deps candidate: who has the seat first */
  constructor(deps: { readonly candidate: Candidate; readonly bus: LocalBus }) {
    this.#candidate = deps.candidate;
    this.#bus = deps.bus;
    this.name = deps.candidate.definition.name;
  }

  /** Who has the seat. */
  get candidate(): Candidate {
    return this.#candidate;
  }

  get after(): readonly string[] {
    return this.#candidate.definition.after;
  }

  get health(): Cell<ModuleHealth> {
    return this.#health;
  }

  /** Aborts when the agent stops. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /** Takes the role's place on the bus; from here on messages wait for it. */
  attach(): Disposable {
    this.#attachAs(this.#candidate.definition);
    return { [Symbol.dispose]: () => this.#attached?.[Symbol.dispose]() };
  }

  /** Starts whoever has the seat from now on. Nothing happens once the agent stops. */
  start(candidate: Candidate = this.#candidate, trial?: Trial): void {
    if (this.#stop.signal.aborted) return;
    this.#give(candidate);
    const unit = candidate.unit(this.#mailbox, trial);
    this.#watching = unit.health.subscribe((health) => this.#health.set(health));
    this.#unit = unit;
    this.#life = unit.keepRunning();
  }

  /** Gives the seat back to one that was not running, as it was. */
  giveBack(candidate: Candidate, health: ModuleHealth): void {
    this.#give(candidate);
    this.#health.set(health);
  }

  /** The one on trial stays. */
  confirm(): void {
    this.#unit?.confirm();
  }

  /**
   * Empties the seat: messages wait from now on, those in hand are finished, then the instance has to return.
   * @param limitMs for the messages in hand, and again, with what the module asks for itself, for the instance
   * @returns false when the instance did not return in time and is left behind
   */
  async vacate(limitMs: number): Promise<boolean> {
    const unit = this.#unit;
    if (!unit) return true;
    // What the old one says of its end is no news of the role.
    this.#watching?.[Symbol.dispose]();
    await within(unit.drain(), limitMs, this.#stop.signal);
    this.#health.set({ phase: 'restarting', restarts: 0, since: Date.now() });
    unit.stop();
    const ended = await within(Promise.all([this.#life, unit.returned()]), limitMs + this.#candidate.extraStopMs);
    this.#unit = undefined;
    return ended;
  }

  /** The agent stops: whoever has the seat has to return, and nobody takes it any more. Resolves when it has. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#unit?.stop();
    await this.#life;
  }

  #give(candidate: Candidate): void {
    const { wire } = this.#candidate.definition;
    const { wire: next } = candidate.definition;
    if (wire.module !== next.module || wire.group !== next.group) this.#attachAs(candidate.definition);
    this.#candidate = candidate;
  }

  #attachAs({ wire }: ModuleDefinition): void {
    this.#attached?.[Symbol.dispose]();
    this.#attached = this.#bus.attach({ ...wire, mailbox: this.#mailbox });
  }
}

/** True when the work is done in time; it goes on all the same. An aborted signal ends the wait. */
async function within(work: Promise<unknown>, limitMs: number, signal?: AbortSignal): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
    onAbort = () => resolve(false);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  const done = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  if (onAbort) signal?.removeEventListener('abort', onAbort);
  return done;
}
