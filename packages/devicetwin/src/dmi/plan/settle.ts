import { created, creating, holds, mayBeGone, NOTHING, updating, type Held } from './held.js';
import type { Step } from './plan.js';

/** What the mapper may hold while the call is on its way. Pure, as `settled`. */
export function sending(held: Held, step: Step): Held {
  switch (step.call) {
    case 'create':
      return creating(held, step.spec);
    case 'update':
      return updating(held, step.spec);
    default:
      return mayBeGone(held);
  }
}

/**
 * What it may hold after the outcome; `held` is what `sending` gave. A refused update may mean that the mapper has
 * forgotten the object, a refused removal that it never had it.
 */
export function settled(held: Held, step: Step, outcome: 'done' | 'refused' | 'lost'): Held {
  if (outcome === 'lost') return held;
  switch (step.call) {
    case 'create':
      return outcome === 'done' ? created(held, step.spec) : held;
    case 'update':
      return outcome === 'done' ? holds(step.spec) : mayBeGone(held);
    default:
      return NOTHING;
  }
}
