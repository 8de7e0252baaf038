/**
 * What a mapper may hold of one object. A call whose answer never came leaves several possibilities; `specs` are the
 * digests of the specs that it may have, `absent` says that it may have none.
 */
export interface Held {
  readonly absent: boolean;
  readonly specs: readonly string[];
}

/** A spec that nobody knows: stands for the rest when there are too many possibilities. */
export const SOME_SPEC = '?';
const MOST_SPECS = 4;

export const NOTHING: Held = { absent: true, specs: [] };

/** It holds this, for certain. */
export function holds(spec: string): Held {
  return { absent: false, specs: [spec] };
}

/** True when it holds exactly this. */
export function surelyHolds(held: Held, spec: string): boolean {
  return !held.absent && held.specs.length === 1 && held.specs[0] === spec;
}

/** It may have forgotten the object. */
export function mayBeGone(held: Held): Held {
  return held.absent ? held : { absent: true, specs: held.specs };
}

/** After a create was answered: what it knows already it leaves as it is. */
export function created(held: Held, spec: string): Held {
  return { absent: false, specs: held.absent ? withSpec(held.specs, spec) : held.specs };
}

/** A create is on its way. */
export function creating(held: Held, spec: string): Held {
  return held.absent ? { absent: true, specs: withSpec(held.specs, spec) } : held;
}

/** An update is on its way. */
export function updating(held: Held, spec: string): Held {
  return { absent: held.absent, specs: withSpec(held.specs, spec) };
}

function withSpec(specs: readonly string[], spec: string): readonly string[] {
  if (specs.includes(spec)) return specs;
  return specs.length < MOST_SPECS ? [...specs, spec] : [SOME_SPEC, spec];
}
