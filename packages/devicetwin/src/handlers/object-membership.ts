import { errorText, type CloudLink, type Logger, type Store, type Table, type TableSpec } from '@edge/core';
import type { Device } from '@edge/protocol';
import type { DeviceBook } from '../devices/device-book.js';
import type { DeviceObjectChange, DeviceObjects } from '../objects/device-objects.js';
import type { CloudSync } from '../sync/cloud-sync.js';
import type { Membership } from './membership.js';

/** Devices of the node whose object was seen, so that one whose object is gone can be told from one that never had any. */
export interface DeviceObjectRow {
  deviceid: string;
  uid: string;
}

export const deviceObjectTable: TableSpec<DeviceObjectRow> = { name: 'edge_device_object', columns: { deviceid: 'text', uid: 'text' }, key: ['deviceid'] };

export interface ObjectMembershipDeps {
  readonly objects: DeviceObjects;
  readonly book: DeviceBook;
  readonly membership: Membership;
  readonly sync: CloudSync;
  readonly store: Store;
  readonly link: CloudLink;
  readonly log: Logger;
}

/**
 * Membership follows the Device objects too: messages about membership are not acknowledged and get lost, objects come until
 * they are acknowledged. Both ways lead to one change. A device goes with its object; one that never had an object belongs to
 * a cloud that says so by messages alone, and stays.
 */
export class ObjectMembership {
  readonly #deps: ObjectMembershipDeps;
  readonly #table: Table<DeviceObjectRow>;
  /** Uid of the object by device. */
  readonly #seen = new Map<string, string>();
  /** Devices that the cloud has removed, whose object is still to go: device → uid. */
  readonly #dismissed = new Map<string, string>();
  #loaded = false;

  constructor(deps: ObjectMembershipDeps) {
    this.#deps = deps;
    this.#table = deps.store.table(deviceObjectTable);
    deps.membership.listen({ removed: (deviceId) => this.#removed(deviceId), stays: (deviceId) => this.#restore(deviceId) });
  }

  load(): void {
    this.#seen.clear();
    for (const { deviceid, uid } of this.#table.all()) this.#seen.set(deviceid, uid);
  }

  /** Follows until disposed. */
  follow(): Disposable {
    const { objects, link } = this.#deps;
    const following = [
      objects.follow((change) => void this.#change(change)),
      link.subscribe((now, before) => {
        if (now.connected && now.session !== before.session) void this.#repair();
      }),
    ];
    return { [Symbol.dispose]: () => following.forEach((one) => one[Symbol.dispose]()) };
  }

  /** The objects are all there: devices without one, that had one, go. */
  async complete(): Promise<void> {
    this.#loaded = true;
    await this.#repair();
  }

  async #repair(): Promise<void> {
    if (!this.#loaded) return;
    const { objects } = this.#deps;
    const present = new Set([...objects.devices.keys()].map((id) => this.#deviceOf(id)));
    const gone = [...this.#seen.keys()].filter((deviceId) => !present.has(deviceId));
    await this.#together([
      ...[...objects.devices].map(([id, object]) => () => this.#present(this.#deviceOf(id), object)),
      ...gone.map((deviceId) => () => this.#absent(deviceId)),
    ]);
  }

  async #change(change: DeviceObjectChange): Promise<void> {
    if (change.kind !== 'device') return;
    const deviceId = this.#deviceOf(change.id);
    if (change.change === 'removed') {
      this.#dismissed.delete(deviceId);
      await this.#together([() => this.#absent(deviceId)]);
      return;
    }
    this.#dismissed.delete(deviceId);
    this.#deps.sync.encourage(deviceId);
    const { object, previous } = change;
    await this.#together([() => this.#present(deviceId, object), () => this.#tellGained(deviceId, object, previous)]);
  }

  /** Of properties that are not in the Device the cloud takes no values, and answers all the same. */
  async #tellGained(deviceId: string, object: Device, previous: Device | undefined): Promise<void> {
    if (previous === undefined || uidOf(previous) !== uidOf(object)) return;
    const before = new Set(propertiesOf(previous));
    const gained = propertiesOf(object).filter((name) => !before.has(name));
    if (gained.length > 0) await this.#deps.sync.tellAgain(deviceId, gained);
  }

  /** There is an object, so there is a device. */
  async #present(deviceId: string, object: Device): Promise<void> {
    const { book, membership } = this.#deps;
    const uid = uidOf(object);
    if (this.#dismissed.get(deviceId) === uid) return;
    const seen = this.#seen.get(deviceId);
    // Deleted and made anew while nobody looked: another device of the same name.
    const removal = seen !== undefined && seen !== uid && book.has(deviceId) ? membership.remove(deviceId) : undefined;
    const known = book.has(deviceId);
    const addition = known ? undefined : membership.add(memberOf(deviceId, object));
    if (known && seen === uid) return;
    this.#seen.set(deviceId, uid);
    await Promise.all([removal, addition, this.#commit(deviceId, () => this.#table.put({ deviceid: deviceId, uid }))]);
  }

  /** The object is gone. */
  async #absent(deviceId: string): Promise<void> {
    if (!this.#seen.has(deviceId)) return;
    const { book, membership, log } = this.#deps;
    if (book.has(deviceId)) {
      log.info('device removed: its object is gone', { device: deviceId });
      await membership.remove(deviceId);
    } else {
      this.#seen.delete(deviceId);
      await this.#commit(deviceId, () => this.#table.remove({ deviceid: deviceId }));
    }
  }

  /** Inside the commit of the removal. */
  #removed(deviceId: string): void {
    this.#table.remove({ deviceid: deviceId });
    const uid = this.#seen.get(deviceId);
    this.#seen.delete(deviceId);
    const { objects } = this.#deps;
    if (uid !== undefined && [...objects.devices].some(([id, object]) => this.#deviceOf(id) === deviceId && uidOf(object) === uid)) this.#dismissed.set(deviceId, uid);
  }

  async #commit(deviceId: string, work: () => void): Promise<void> {
    await this.#deps.store.commit(work).catch((error: unknown) => {
      this.#restore(deviceId);
      throw error;
    });
  }

  /** The disk has refused a change: what it has counts, so that the change is due again with the next connect. */
  #restore(deviceId: string): void {
    this.#dismissed.delete(deviceId);
    const row = this.#table.get({ deviceid: deviceId });
    if (row) this.#seen.set(deviceId, row.uid);
    else this.#seen.delete(deviceId);
  }

  /** Clouds up to v1.15 name devices without their namespace. */
  #deviceOf(objectId: string): string {
    const name = objectId.slice(objectId.indexOf('/') + 1);
    return !this.#deps.book.has(objectId) && this.#deps.book.has(name) ? name : objectId;
  }

  async #together(works: readonly (() => Promise<void>)[]): Promise<void> {
    for (const result of await Promise.allSettled(works.map((work) => work()))) {
      if (result.status === 'rejected') this.#deps.log.error('membership could not be brought in line with a device object; it is tried again after the next connect', { err: errorText(result.reason) });
    }
  }
}

function uidOf(object: Device): string {
  return object.metadata.uid ?? '';
}

function propertiesOf(object: Device): string[] {
  return (object.spec.properties ?? []).map(({ name }) => name);
}

function memberOf(deviceId: string, object: Device): Parameters<Membership['add']>[0] {
  const { name, labels } = object.metadata;
  return { id: deviceId, name: name ?? deviceId.slice(deviceId.indexOf('/') + 1), description: labels?.['description'] ?? '', state: '', attributes: undefined, twins: undefined };
}
