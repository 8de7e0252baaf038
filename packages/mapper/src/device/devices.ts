import type { Device as WireDevice, DeviceModel as WireModel } from '@edge/protocol/dmi';
import { errorText, MapperError, MapperErrors } from '../errors.js';
import { Once, type Log } from '../log.js';
import type { Device } from './device.js';
import type { DeviceHealth } from './device-worker.js';
import { idOf, parseDevice, type DefaultCycles } from './parse-device.js';

/** What the table needs of a device's worker. */
export interface Worker {
  readonly device: Device;
  start(): void;
  stop(): Promise<void>;
  update(device: Device): void;
  reportAgain(): void;
  health(): DeviceHealth;
  read(name: string): Promise<string>;
  write(name: string, text: string): Promise<void>;
}

interface Entry {
  wire: WireDevice;
  worker: Worker | undefined;
}

/**
 * The devices and models that EdgeCore told of. They may come in any order and any number of times: a device waits for
 * its model, what is known already changes nothing.
 */
export class Devices {
  readonly #makeWorker: (device: Device) => Worker;
  readonly #changed: (device: Device) => void;
  readonly #removed: (id: string) => void;
  readonly #defaults: DefaultCycles;
  readonly #log: Log;
  readonly #models = new Map<string, WireModel>();
  readonly #entries = new Map<string, Entry>();
  /** Drivers that are being stopped, by device. */
  readonly #stopping = new Map<string, Promise<void>>();
  readonly #once = new Once();
  /** Devices that were not in the last answer of EdgeCore. */
  #missing = new Set<string>();
  /** Devices that came by calls since the last answer of EdgeCore. */
  #called = new Set<string>();

  constructor(deps: { readonly makeWorker: (device: Device) => Worker; readonly changed: (device: Device) => void; readonly removed: (id: string) => void; readonly defaults: DefaultCycles; readonly log: Log }) {
    this.#makeWorker = deps.makeWorker;
    this.#changed = deps.changed;
    this.#removed = deps.removed;
    this.#defaults = deps.defaults;
    this.#log = deps.log;
  }

  /** A new or a changed device. @throws MapperError `mapper.bad-device`; a device that stood before goes on */
  upsertDevice(wire: WireDevice | undefined): void {
    if (!wire || wire.name === '') throw new MapperError(MapperErrors.badDevice, 'the request names no device');
    const id = idOf(wire.namespace, wire.name);
    this.#missing.delete(id);
    this.#called.add(id);
    const model = this.#models.get(modelOf(wire));
    if (!model) {
      if (this.#once.say(id, 'model')) this.#log.info(`device ${id} waits for its model ${modelOf(wire)}`);
      const waiting = this.#entries.get(id);
      // A device that works goes on with what it has until the model is there.
      if (waiting) waiting.wire = wire;
      else this.#entries.set(id, { wire, worker: undefined });
      return;
    }
    this.#apply(id, wire, model);
  }

  /** Stops a device without waiting for its driver. A device that is unknown is gone already. */
  removeDevice(namespace: string, name: string): void {
    this.#remove(idOf(namespace, name), 'was removed');
  }

  /** A new or a changed model; devices that wait for it start, those that have it take the change. */
  upsertModel(model: WireModel | undefined): void {
    if (!model || model.name === '') throw new MapperError(MapperErrors.badDevice, 'the request names no device model');
    const key = idOf(model.namespace, model.name);
    this.#models.set(key, model);
    for (const [id, { wire }] of this.#entries) {
      if (modelOf(wire) === key) this.#applyOrLog(id, wire, model);
    }
  }

  /** Devices of the model go on; EdgeCore takes the model away before the device. */
  removeModel(namespace: string, name: string): void {
    this.#models.delete(idOf(namespace, name));
  }

  /**
   * The whole of what EdgeCore knows. A device that is missing in two answers in a row is removed: once is not enough,
   * because an EdgeCore that has just been started may not have loaded its devices yet. One that came by a call since the
   * answer before is not missing: an answer that would be too long is cut, and what it lacks comes by calls each time.
   * @returns true when devices are missing, and EdgeCore should be asked again
   */
  reconcile(answer: { readonly modelList: readonly WireModel[]; readonly deviceList: readonly WireDevice[] }): boolean {
    for (const model of answer.modelList) this.#tolerate(() => this.upsertModel(model));
    const listed = new Set(answer.deviceList.map(({ namespace, name }) => idOf(namespace, name)));
    const missing = new Set([...this.#entries.keys()].filter((id) => !listed.has(id) && !this.#called.has(id)));
    for (const id of missing) {
      if (!this.#missing.has(id)) continue;
      missing.delete(id);
      this.#log.info(`device ${id} is not known to EdgeCore any more`);
      this.#remove(id, 'was removed');
    }
    this.#missing = missing;
    for (const device of answer.deviceList) this.#tolerate(() => this.upsertDevice(device));
    this.#called = new Set();
    return missing.size > 0;
  }

  reportAgain(): void {
    for (const { worker } of this.#entries.values()) worker?.reportAgain();
  }

  /** What EdgeCore sent last. @throws MapperError `mapper.unknown-device` */
  wireDevice(namespace: string, name: string): WireDevice {
    const entry = this.#entries.get(idOf(namespace, name));
    if (!entry) throw unknown(idOf(namespace, name));
    return entry.wire;
  }

  /** @throws MapperError `mapper.unknown-device` when there is none, or it waits for its model */
  worker(namespace: string, name: string): Worker {
    const worker = this.#entries.get(idOf(namespace, name))?.worker;
    if (!worker) throw unknown(idOf(namespace, name));
    return worker;
  }

  /** The model of a device. @throws MapperError `mapper.unknown-device` */
  model(namespace: string, name: string): WireModel {
    const model = this.#models.get(modelOf(this.wireDevice(namespace, name)));
    if (!model) throw new MapperError(MapperErrors.unknownDevice, `the model of device ${idOf(namespace, name)} is not known`);
    return model;
  }

  health(): DeviceHealth[] {
    return [...this.#entries].map(([id, { wire, worker }]) => worker?.health() ?? { id, state: 'unknown', error: `waits for its model ${modelOf(wire)}`, failing: {} });
  }

  /** Stops all drivers, side by side. */
  async stop(): Promise<void> {
    for (const id of [...this.#entries.keys()]) this.#remove(id, 'stops with the mapper');
    await Promise.all(this.#stopping.values());
  }

  #apply(id: string, wire: WireDevice, model: WireModel): void {
    const { device, problems } = parseDevice(wire, model, this.#defaults);
    if (problems.length > 0 && this.#once.say(id, problems.join())) for (const problem of problems) this.#log.warn(`device ${id}: ${problem}`);
    const entry = this.#entries.get(id);
    if (entry?.worker) {
      entry.wire = wire;
      entry.worker.update(device);
      this.#changed(entry.worker.device);
      return;
    }
    const worker = this.#makeWorker(device);
    this.#entries.set(id, { wire, worker });
    this.#log.info(`device ${id} is new: model ${device.model}, ${device.properties.length} properties`);
    // A device of the same name may still be on its way out.
    const before = this.#stopping.get(id);
    if (before) void before.then(() => worker.start());
    else worker.start();
  }

  #applyOrLog(id: string, wire: WireDevice, model: WireModel): void {
    this.#tolerate(() => this.#apply(id, wire, model));
  }

  #tolerate(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#log.error(errorText(error));
    }
  }

  #remove(id: string, why: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    this.#missing.delete(id);
    this.#called.delete(id);
    this.#once.clear(id);
    this.#log.info(`device ${id} ${why}`);
    if (entry.worker) {
      const stopped: Promise<void> = Promise.all([this.#stopping.get(id), entry.worker.stop()]).then(() => {
        if (this.#stopping.get(id) === stopped) this.#stopping.delete(id);
      });
      this.#stopping.set(id, stopped);
    }
    this.#removed(id);
  }
}

function modelOf({ namespace, spec }: WireDevice): string {
  return idOf(namespace, spec?.deviceModelReference ?? '');
}

function unknown(id: string): MapperError {
  return new MapperError(MapperErrors.unknownDevice, `this mapper has no device ${id}`);
}
