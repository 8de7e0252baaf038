import { type Life, type Runnable } from '@edge/core';
import type { Dmi } from './dmi/dmi.js';
import type { StoredDeviceObjects } from './objects/stored-device-objects.js';

/** Devices: membership, twins, states, and the Device Mapper Interface. */
export class DeviceTwin implements Runnable {
  readonly objects: StoredDeviceObjects;
  readonly #dmi: Dmi;

  constructor(deps: { objects: StoredDeviceObjects; dmi: Dmi }) {
    this.objects = deps.objects;
    this.#dmi = deps.dmi;
  }

  async run(life: Life): Promise<void> {
    life.ready();
    await Promise.all([this.objects.load(life.signal), this.#dmi.run(life.signal)]);
  }
}
