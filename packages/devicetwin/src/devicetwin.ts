import { type Life, type Runnable } from '@edge/core';
import type { Admission } from './devices/admission.js';
import type { DeviceBook } from './devices/device-book.js';
import type { Dmi } from './dmi/dmi.js';
import type { Clients } from './handlers/clients.js';
import type { Membership } from './handlers/membership.js';
import type { ObjectMembership } from './handlers/object-membership.js';
import type { StoredDeviceObjects } from './objects/stored-device-objects.js';
import type { CloudSync } from './sync/cloud-sync.js';
import type { Confirmations } from './sync/confirmations.js';

export interface DeviceTwinDeps {
  readonly book: DeviceBook;
  readonly confirmations: Confirmations;
  readonly admission: Admission;
  readonly clients: Clients;
  readonly membership: Membership;
  readonly objectMembership: ObjectMembership;
  readonly objects: StoredDeviceObjects;
  readonly sync: CloudSync;
  readonly dmi: Dmi;
}

/** Devices: membership, twins, states, and the Device Mapper Interface. */
export class DeviceTwin implements Runnable {
  readonly clients: Clients;
  readonly membership: Membership;
  readonly objects: StoredDeviceObjects;
  readonly sync: CloudSync;
  readonly #deps: DeviceTwinDeps;

  constructor(deps: DeviceTwinDeps) {
    this.clients = deps.clients;
    this.membership = deps.membership;
    this.objects = deps.objects;
    this.sync = deps.sync;
    this.#deps = deps;
  }

  async run(life: Life): Promise<void> {
    const { book, confirmations, objectMembership, admission } = this.#deps;
    book.load();
    confirmations.load();
    objectMembership.load();
    using _following = objectMembership.follow();
    life.ready();
    await Promise.all([this.#loadObjects(life.signal), this.sync.run(life.signal), this.#deps.dmi.run(life.signal)]);
    await admission.idle();
  }

  async #loadObjects(signal: AbortSignal): Promise<void> {
    await this.objects.load(signal);
    if (!signal.aborted) await this.#deps.objectMembership.complete();
  }
}
