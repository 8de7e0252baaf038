import { mayBeGone, holds, NOTHING, type Held } from './held.js';
import type { Desired } from './desired.js';
import type { Holding, ObjectKind, Step } from './plan.js';
import { sending, settled } from './settle.js';

/** Told of each change, so that it can be kept over restarts. */
export interface HoldingsJournal {
  changed(kind: ObjectKind, id: string, held: Held): void;
}

/** What one mapper may hold, kept in step with what was sent to it and what it answered. */
export class Holdings implements Holding {
  readonly models: Map<string, Held>;
  readonly devices: Map<string, Held>;
  readonly #journal: HoldingsJournal;
  /** Counts registrations: what was asked of the mapper before says nothing about it after. */
  #epoch = 0;

  constructor(journal: HoldingsJournal, known: Holding = { models: new Map(), devices: new Map() }) {
    this.#journal = journal;
    this.models = new Map(known.models);
    this.devices = new Map(known.devices);
  }

  /** Whether it may hold anything at all. */
  get known(): boolean {
    return this.models.size + this.devices.size > 0;
  }

  /** A call goes out; the result is to be told the outcome. */
  send(step: Step): (outcome: 'done' | 'refused' | 'lost') => void {
    const epoch = this.#epoch;
    const before = this.#of(step.kind).get(step.id) ?? NOTHING;
    this.#set(step.kind, step.id, sending(before, step));
    return (outcome) => {
      if (epoch === this.#epoch) this.#set(step.kind, step.id, settled(this.#of(step.kind).get(step.id) ?? NOTHING, step, outcome));
    };
  }

  /** The mapper has registered anew and was given these; it has nothing else. */
  registered(given: Pick<Desired, 'models' | 'devices'>): void {
    this.#epoch += 1;
    for (const kind of ['model', 'device'] as const) {
      const held = this.#of(kind);
      const now = kind === 'model' ? given.models : given.devices;
      for (const id of [...held.keys()]) if (!now.has(id)) this.#set(kind, id, NOTHING);
      for (const [id, { spec }] of now) this.#set(kind, id, holds(spec));
    }
  }

  /** The mapper may have started anew without a word. */
  doubt(): void {
    this.#epoch += 1;
    for (const kind of ['model', 'device'] as const) for (const [id, held] of this.#of(kind)) this.#set(kind, id, mayBeGone(held));
  }

  #of(kind: ObjectKind): Map<string, Held> {
    return kind === 'model' ? this.models : this.devices;
  }

  #set(kind: ObjectKind, id: string, held: Held): void {
    const map = this.#of(kind);
    if (map.get(id) === held) return;
    if (held.specs.length === 0) map.delete(id);
    else map.set(id, held);
    this.#journal.changed(kind, id, held);
  }
}
