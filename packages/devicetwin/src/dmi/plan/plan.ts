import type { Device as DmiDevice, DeviceModel as DmiDeviceModel } from '@edge/protocol/dmi';
import type { Desired, Wanted } from './desired.js';
import { surelyHolds, type Held } from './held.js';

export type ObjectKind = 'device' | 'model';

/** One call to a mapper. `removeIfThere` asks first: a mapper of upstream dies of the removal of what it does not have. */
export type Step =
  | { readonly call: 'create' | 'update'; readonly kind: 'model'; readonly id: string; readonly spec: string; readonly message: DmiDeviceModel }
  | { readonly call: 'create' | 'update'; readonly kind: 'device'; readonly id: string; readonly spec: string; readonly message: DmiDevice }
  | { readonly call: 'remove' | 'removeIfThere'; readonly kind: ObjectKind; readonly id: string };

/** What a mapper may hold, by id. */
export interface Holding {
  readonly models: ReadonlyMap<string, Held>;
  readonly devices: ReadonlyMap<string, Held>;
}

/**
 * The calls that bring a mapper to what it is to have; none when it surely has it. What is no longer wanted goes first,
 * so that a new device finds the port of an old one free; then models come before the devices that follow them. Pure.
 */
export function plan(desired: Desired, holding: Holding): readonly Step[] {
  return [
    ...removals('model', holding.models, (id) => desired.models.has(id)),
    ...removals('device', holding.devices, (id) => desired.devices.has(id) || desired.blocked.has(id)),
    ...changes(desired.models, holding.models, (call, id, { spec, message }): Step => ({ call, kind: 'model', id, spec, message })),
    ...changes(desired.devices, holding.devices, (call, id, { spec, message }): Step => ({ call, kind: 'device', id, spec, message })),
  ];
}

function removals(kind: ObjectKind, held: ReadonlyMap<string, Held>, wanted: (id: string) => boolean): Step[] {
  return [...held]
    .filter(([id, { specs }]) => specs.length > 0 && !wanted(id))
    .map(([id, { absent }]) => ({ call: absent && kind === 'device' ? 'removeIfThere' : 'remove', kind, id }));
}

/** A create leaves alone what is there already; where another spec may be there, an update follows. */
function changes<Message>(
  wanted: ReadonlyMap<string, Wanted<Message>>,
  held: ReadonlyMap<string, Held>,
  step: (call: 'create' | 'update', id: string, object: Wanted<Message>) => Step,
): Step[] {
  return [...wanted].flatMap(([id, object]) => {
    const has = held.get(id) ?? { absent: true, specs: [] };
    if (surelyHolds(has, object.spec)) return [];
    const create = has.absent ? [step('create', id, object)] : [];
    const update = has.specs.some((spec) => spec !== object.spec) ? [step('update', id, object)] : [];
    return [...create, ...update];
  });
}
