import { expect, it } from 'vitest';
import { silentLog } from '../log.js';
import { testDevice } from '../testing/index.js';
import { Devices, type Worker } from './devices.js';

function newDevices(): Devices {
  const makeWorker: ConstructorParameters<typeof Devices>[0]['makeWorker'] = (device) => ({ device, start: () => undefined, stop: () => Promise.resolve(), update: () => undefined, health: () => ({ id: device.id, state: 'online', error: undefined, failing: {} }) }) as Partial<Worker> as Worker;
  return new Devices({ makeWorker, changed: () => undefined, removed: () => undefined, defaults: { collectMs: 1000, stateMs: 1000 }, log: silentLog });
}

it('[mapper-1.13] a device that came by a call since the answer before is not missing in an answer that was cut', () => {
  const devices = newDevices();
  const { device: first, model } = testDevice({ name: 'first', properties: {} });
  const { device: rest } = testDevice({ name: 'rest', properties: {} });
  const cut = { modelList: [model], deviceList: [first] };
  const known = (): string[] => devices.health().map(({ id }) => id);
  for (let round = 0; round < 3; round += 1) {
    expect(devices.reconcile(cut)).toBe(false);
    devices.upsertDevice(rest);
    expect(known()).toEqual(['default/first', 'default/rest']);
  }
  // EdgeCore does not speak of it any more.
  expect(devices.reconcile(cut)).toBe(false);
  expect(devices.reconcile(cut)).toBe(true);
  expect(devices.reconcile(cut)).toBe(false);
  expect(known()).toEqual(['default/first']);
});
