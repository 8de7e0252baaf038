import { errorText, type Store, type Table } from '@edge/core';
import { deviceAttrTable, deviceTable, deviceTwinTable, type DeviceAttrRow, type DeviceRow, type DeviceTwinRow } from '@edge/protocol';
import { deviceTwinError } from '../errors.js';
import { newDevice, type AttributeState, type DeviceState, type TwinState } from '../model/device.js';
import { attributeOfRow, attributeRow, deviceRow, twinOfRow, twinRow } from '../model/rows.js';

/** Which rows of a device a change touches. */
export interface Changed {
  readonly device?: boolean;
  readonly twins?: readonly string[];
  readonly attributes?: readonly string[];
}

/** Numbers of the rows of one device, by name. */
interface RowNumbers {
  readonly twins: Map<string, number>;
  readonly attributes: Map<string, number>;
}

/**
 * All devices of the node, in memory and in upstream's tables. A change is visible at once, to the next plan and in the
 * store's reads; its promise resolves when it is on the disk. When the disk refuses, what stood before is read again, so
 * memory never says more than the store.
 */
export class DeviceBook {
  readonly #store: Store;
  readonly #rows: Table<DeviceRow>;
  readonly #twins: Table<DeviceTwinRow>;
  readonly #attributes: Table<DeviceAttrRow>;
  readonly #devices = new Map<string, DeviceState>();
  readonly #numbers = new Map<string, RowNumbers>();

  constructor(deps: { store: Store }) {
    this.#store = deps.store;
    this.#rows = deps.store.table<DeviceRow>(deviceTable);
    this.#twins = deps.store.table<DeviceTwinRow>(deviceTwinTable);
    this.#attributes = deps.store.table<DeviceAttrRow>(deviceAttrTable);
  }

  /** Reads the tables; rows of devices that are not there are left alone. */
  load(): void {
    this.#devices.clear();
    this.#numbers.clear();
    const twins = grouped(this.#twins.all());
    const attributes = grouped(this.#attributes.all());
    for (const row of this.#rows.all()) this.#adopt(row, twins.get(row.id) ?? [], attributes.get(row.id) ?? []);
  }

  get all(): Iterable<DeviceState> {
    return this.#devices.values();
  }

  get(id: string): DeviceState | undefined {
    return this.#devices.get(id);
  }

  has(id: string): boolean {
    return this.#devices.has(id);
  }

  /**
   * Makes `next` what stands. Runs at once; resolves when it is on the disk.
   * @param also further writes of the same unit
   * @throws EdgeError `devicetwin.storage`
   */
  write(next: DeviceState, changed: Changed, also?: () => void): Promise<void> {
    return this.#commit(next.id, next, () => {
      if (changed.device) this.#rows.put(deviceRow(next));
      const { twins, attributes } = this.#numbersOf(next.id);
      for (const name of changed.twins ?? []) {
        twins.set(name, this.#twins.put(twinRow(next.id, name, next.twins.get(name) as TwinState, twins.get(name) ?? 0)));
      }
      for (const name of changed.attributes ?? []) this.#putAttribute(next, name, attributes);
      also?.();
    });
  }

  /**
   * Forgets a device and all its rows.
   * @throws EdgeError `devicetwin.storage`
   */
  remove(id: string, also?: () => void): Promise<void> {
    return this.#commit(id, undefined, () => {
      this.#rows.remove({ id });
      this.#twins.remove({ deviceid: id });
      this.#attributes.remove({ deviceid: id });
      also?.();
    });
  }

  /** Resolves when all that stands is on the disk. */
  flush(): Promise<void> {
    return this.#store.flush();
  }

  #commit(id: string, next: DeviceState | undefined, work: () => void): Promise<void> {
    let ran = false;
    const durable = this.#store.commit(() => {
      work();
      ran = true;
    });
    if (!ran) this.#reload(id);
    else if (next) this.#devices.set(id, next);
    else this.#forget(id);
    return durable.catch((error: unknown) => {
      this.#reload(id);
      throw deviceTwinError('devicetwin.storage', `device ${id} could not be stored: ${errorText(error)}`, error);
    });
  }

  #putAttribute(next: DeviceState, name: string, numbers: Map<string, number>): void {
    const attribute: AttributeState | undefined = next.attributes.get(name);
    const id = numbers.get(name) ?? 0;
    if (attribute) numbers.set(name, this.#attributes.put(attributeRow(next.id, name, attribute, id)));
    else {
      this.#attributes.remove({ deviceid: next.id, name });
      numbers.delete(name);
    }
  }

  #reload(id: string): void {
    this.#forget(id);
    try {
      const row = this.#rows.get({ id });
      if (row) this.#adopt(row, this.#twins.all({ deviceid: id }), this.#attributes.all({ deviceid: id }));
    } catch {
      // The disk does not even let itself be read: the caller hears of the first failure, and the device is unknown until the next start.
    }
  }

  /** Of rows of one name, which only upstream can have written, the last one counts, as upstream reads them. */
  #adopt(row: DeviceRow, twins: readonly DeviceTwinRow[], attributes: readonly DeviceAttrRow[]): void {
    this.#devices.set(row.id, {
      ...newDevice(row.id, row.name, row.description, row.state),
      lastOnline: row.last_online,
      twins: new Map(twins.map((twin) => [twin.name, twinOfRow(twin)])),
      attributes: new Map(attributes.map((attribute) => [attribute.name, attributeOfRow(attribute)])),
    });
    this.#numbers.set(row.id, {
      twins: new Map(twins.map((twin) => [twin.name, twin.id])),
      attributes: new Map(attributes.map((attribute) => [attribute.name, attribute.id])),
    });
  }

  #forget(id: string): void {
    this.#devices.delete(id);
    this.#numbers.delete(id);
  }

  #numbersOf(id: string): RowNumbers {
    let numbers = this.#numbers.get(id);
    if (numbers === undefined) this.#numbers.set(id, (numbers = { twins: new Map(), attributes: new Map() }));
    return numbers;
  }
}

function grouped<Row extends { readonly deviceid: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.deviceid);
    if (group) group.push(row);
    else groups.set(row.deviceid, [row]);
  }
  return groups;
}
