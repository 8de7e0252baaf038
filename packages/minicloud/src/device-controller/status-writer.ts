import { type Clients, keyOf, type StoredDevice } from '../objects.js';
import { type DeviceReport, withReport } from './reports.js';
import { ensureDeviceStatus, isOfAnother } from './status-object.js';

interface Batch {
  readonly reports: DeviceReport[];
  readonly written: Promise<boolean>;
}

/** Writes reports into DeviceStatus objects, in order per device. What comes during a write shares the next one. */
export class StatusWriter {
  readonly #clients: Pick<Clients, 'devices' | 'deviceStatuses'>;
  readonly #waiting = new Map<string, Batch>();
  readonly #tails = new Map<string, Promise<unknown>>();

  constructor(deps: { clients: Pick<Clients, 'devices' | 'deviceStatuses'> }) {
    this.#clients = deps.clients;
  }

  /** True once it is committed, false when the device is gone. Rejects when it cannot be written. */
  write(device: StoredDevice, report: DeviceReport): Promise<boolean> {
    const key = keyOf(device);
    const waiting = this.#waiting.get(key);
    if (waiting) {
      waiting.reports.push(report);
      return waiting.written;
    }
    const reports = [report];
    const before = this.#tails.get(key) ?? Promise.resolve();
    const written = before.then(() => {
      this.#waiting.delete(key);
      return this.#commit(device, reports);
    });
    this.#waiting.set(key, { reports, written });
    const tail = written.catch(() => undefined).then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    this.#tails.set(key, tail);
    return written;
  }

  async #commit({ metadata: { name, namespace } }: StoredDevice, reports: readonly DeviceReport[]): Promise<boolean> {
    const { devices, deviceStatuses } = this.#clients;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const device = devices.find(name, namespace);
      if (!device) return false;
      await ensureDeviceStatus(this.#clients, device);
      let isReplaced = false;
      const stored = await deviceStatuses.modify(name, namespace, (copy) => {
        isReplaced = isOfAnother(copy, device);
        if (isReplaced) return false;
        copy.status = reports.reduce((status, report) => withReport(status, report, device.spec.properties), copy.status ?? {});
        return undefined;
      });
      if (stored && !isReplaced) return true;
    }
    throw new Error(`the status of device ${namespace ?? ''}/${name} is deleted again and again`);
  }
}
