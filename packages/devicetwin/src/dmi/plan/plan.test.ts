import { describe, expect, it } from 'vitest';
import type { Device, DeviceModel } from '@edge/protocol';
import { Desiring } from './desired.js';
import { Holdings } from './holdings.js';
import { holds, mayBeGone, NOTHING, SOME_SPEC, updating, type Held } from './held.js';
import { plan, type Holding, type Step } from './plan.js';
import { device, model } from '../../../test/dmi/objects.js';

const desiring = new Desiring('refuse');
const thermo = model();
const nothing: Holding = { models: new Map(), devices: new Map() };

function objects(devices: readonly Device[], models: readonly DeviceModel[]): { devices: Map<string, Device>; models: Map<string, DeviceModel> } {
  return {
    devices: new Map(devices.map((object) => [`default/${object.metadata.name ?? ''}`, object])),
    models: new Map(models.map((object) => [`default/${object.metadata.name ?? ''}`, object])),
  };
}

const wanted = (desired = '25'): ReturnType<Desiring['of']> => desiring.of(objects([device('d', desired)], [model()]), 'modbus');
const brief = (steps: readonly Step[]): string[] => steps.map(({ call, kind, id }) => `${call} ${kind} ${id}`);
const holding = (devices: readonly [string, Held][], models: readonly [string, Held][] = [['default/thermo-model', holds(wanted().models.get('default/thermo-model')?.spec ?? '')]]): Holding => ({
  devices: new Map(devices),
  models: new Map(models),
});
const spec = (desired = '25'): string => wanted(desired).devices.get('default/d')?.spec ?? '';

describe('what a mapper is called', () => {
  it('[dmi-5.1] nothing when it surely has what it is to have', () => {
    expect(plan(wanted(), holding([['default/d', holds(spec())]]))).toEqual([]);
  });

  it.each<[string, ReturnType<Desiring['of']>, Holding, string[]]>([
    ['model before device', wanted(), nothing, ['create model default/thermo-model', 'create device default/d']],
    ['an update when it has another spec', wanted('30'), holding([['default/d', holds(spec('25'))]]), ['update device default/d']],
    ['a create when it may have forgotten what it had', wanted(), holding([['default/d', mayBeGone(holds(spec()))]]), ['create device default/d']],
    ['both when it may have an old spec or none', wanted('30'), holding([['default/d', mayBeGone(holds(spec('25')))]]), ['create device default/d', 'update device default/d']],
    ['an update when it may have one of two', wanted('30'), holding([['default/d', updating(holds(spec('30')), spec('25'))]]), ['update device default/d']],
    ['removals first, the model before its device, as the cloud takes them away', desiring.of(objects([], []), 'modbus'), holding([['default/d', holds('x')]]), ['remove model default/thermo-model', 'remove device default/d']],
    ['a question first, when it may not have what is to be removed', desiring.of(objects([], []), 'modbus'), holding([['default/d', mayBeGone(holds('x'))]], []), ['removeIfThere device default/d']],
    ['nothing of a device whose model is away, when it has it already', desiring.of(objects([device('d')], []), 'modbus'), holding([['default/d', holds(spec())]]), ['remove model default/thermo-model']],
    ['nothing of a device whose model has not come', desiring.of(objects([device('d')], []), 'modbus'), nothing, []],
    ['removal from the mapper of the protocol that it had before', desiring.of(objects([device('d', '25', { protocol: { protocolName: 'opcua' } })], [model()]), 'modbus'), holding([['default/d', holds(spec())]]), ['remove device default/d']],
  ])('[dmi-5.2] %s', (_, desired, held, steps) => {
    expect(brief(plan(desired, held))).toEqual(steps);
  });

  it('[dmi-5.3] neither the order of properties, methods and keys nor a reported status is a change; any other part of the spec is', () => {
    const base = device('d', '25', { methods: [{ name: 'a' }, { name: 'b' }], protocol: { protocolName: 'modbus', configData: { x: 1, y: 2 } }, properties: [{ name: 'p' }, { name: 'q' }] });
    const same: Device[] = [
      { ...base, metadata: { ...base.metadata, resourceVersion: '99', labels: { a: 'b' } } },
      { ...base, spec: { ...base.spec, properties: [{ name: 'q' }, { name: 'p' }], methods: [{ name: 'b' }, { name: 'a' }], protocol: { configData: { y: 2, x: 1 }, protocolName: 'modbus' } } },
      { ...base, status: { twins: [{ propertyName: 'p', reported: { value: '1' } }] } },
    ];
    const other: Device[] = [
      { ...base, spec: { ...base.spec, properties: [{ name: 'p', desired: { value: '' , metadata: { type: 'int' } } }, { name: 'q' }] } },
      { ...base, spec: { ...base.spec, methods: [{ name: 'a' }] } },
      { ...base, spec: { ...base.spec, stateReport: { reportToCloud: true, reportCycle: 5 } } },
      { ...base, spec: { ...base.spec, protocol: { protocolName: 'modbus', configData: { x: 1, y: 3 } } } },
    ];
    const specOf = (object: Device): string | undefined => desiring.of(objects([object], [model()]), 'modbus').devices.get('default/d')?.spec;
    for (const object of same) expect(specOf(object)).toBe(specOf(base));
    for (const object of other) expect(specOf(object)).not.toBe(specOf(base));
  });

  it('[dmi-5.4] a change of the model is one of its devices when it changes what they are sent', () => {
    const changed = model('thermo-model', { protocolConfigData: { baudRate: 9600 } });
    const now = desiring.of(objects([device('d')], [changed]), 'modbus').devices.get('default/d');
    expect(now?.spec).not.toBe(spec());
    expect(now?.message.spec?.protocol?.configData?.data).toHaveProperty('baudRate');
  });

  it('[dmi-5.5] possibilities are bounded', () => {
    let held: Held = NOTHING;
    for (let i = 0; i < 50; i += 1) held = updating(held, `s${i}`);
    expect(held.specs.length).toBeLessThan(6);
    expect(held.specs).toContain(SOME_SPEC);
    expect(brief(plan(wanted(), holding([['default/d', held]])))).toEqual(['create device default/d', 'update device default/d']);
  });
});

/** A mapper as upstream's framework is: a create leaves alone what it has; models do not count here. */
class Memory {
  readonly devices = new Map<string, string>();
  apply(step: Step): void {
    if (step.kind !== 'device') return;
    if (step.call === 'create') this.devices.set(step.id, this.devices.get(step.id) ?? step.spec);
    else if (step.call === 'update') this.devices.set(step.id, step.spec);
    else this.devices.delete(step.id);
  }
}

function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it('[dmi-5.6] whatever is lost on the way, in the end the mapper has what it is to have, and then it is left alone', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = randoms(seed);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const mapper = new Memory();
    const holdings = new Holdings({ changed: () => undefined });
    const present = new Map<string, Device>();
    const desired = (): ReturnType<Desiring['of']> => desiring.of({ devices: present, models: new Map([['default/thermo-model', thermo]]) }, 'modbus');
    for (let turn = 0; turn < 60; turn += 1) {
      const name = pick(['a', 'b', 'c']);
      const event = random();
      if (event < 0.3) present.set(`default/${name}`, device(name, pick(['1', '2', '3'])));
      else if (event < 0.4) present.delete(`default/${name}`);
      else if (event < 0.5) {
        mapper.devices.clear();
        holdings.doubt();
      } else if (event < 0.55) {
        mapper.devices.clear();
        const given = desired();
        for (const [id, { spec: own }] of given.devices) mapper.devices.set(id, own);
        holdings.registered(given);
      } else {
        const [step] = plan(desired(), holdings);
        if (!step) continue;
        const settle = holdings.send(step);
        const fate = random();
        if (fate < 0.7) mapper.apply(step);
        // A call that had its effect may be lost on the way back.
        settle(fate < 0.5 ? 'done' : 'lost');
      }
    }
    for (let rounds = 0; plan(desired(), holdings).length > 0 && rounds < 20; rounds += 1) {
      for (const step of plan(desired(), holdings)) {
        const settle = holdings.send(step);
        mapper.apply(step);
        settle('done');
      }
    }
    expect(plan(desired(), holdings), `seed ${seed}`).toEqual([]);
    expect(mapper.devices, `seed ${seed}`).toEqual(new Map([...desired().devices].map(([id, { spec: own }]) => [id, own])));
  }
});
