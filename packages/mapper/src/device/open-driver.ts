import { codeOf, errorText, MapperError, MapperErrors } from '../errors.js';
import type { Driver } from '../driver.js';
import type { Log } from '../log.js';
import type { Timing } from '../options.js';
import { within } from '../time.js';
import type { Device, DeviceState, OpenDevice, Property } from './device.js';
import type { Value } from './values.js';

interface Deps<Connection> {
  readonly driver: Driver<Connection>;
  readonly device: Device;
  readonly connection: Connection;
  readonly timing: Timing;
}

/** The driver of one device between `init` and `stop`: every call has its limit and says whose it was. */
export class OpenDriver<Connection> {
  readonly #driver: Driver<Connection>;
  readonly #connection: Connection;
  readonly #timing: Timing;
  #device: OpenDevice<Connection>;
  /** Calls that failed since the last that succeeded. */
  failuresInARow = 0;
  lastError = '';
  /** The driver said that the device is gone. */
  lost = false;

  private constructor({ driver, device, connection, timing }: Deps<Connection>) {
    this.#driver = driver;
    this.#connection = connection;
    this.#timing = timing;
    this.#device = { ...device, connection };
  }

  /** @throws MapperError `mapper.driver-failed`, `mapper.driver-timeout`, `mapper.stopped` */
  static async start<Connection>(deps: Omit<Deps<Connection>, 'connection'>, life: AbortSignal): Promise<OpenDriver<Connection>> {
    const { driver, device, timing } = deps;
    let given = true;
    const init = async (signal: AbortSignal): Promise<Connection> => {
      const connection = await driver.init(device, signal);
      // What was opened too late is nobody's: it is closed again.
      if (!given) await driver.stop?.({ ...device, connection });
      return connection;
    };
    try {
      const connection = await within(init, timing.initMs, life, () => late('init', timing.initMs));
      return new OpenDriver({ ...deps, connection });
    } catch (error) {
      given = false;
      throw named(error, 'init');
    }
  }

  get canTellState(): boolean {
    return this.#driver.state !== undefined;
  }

  update(device: Device): void {
    this.#device = { ...device, connection: this.#connection };
  }

  /** @throws MapperError as `start` */
  read(property: Property, life: AbortSignal): Promise<Value> {
    return this.#call(`read of ${property.name}`, life, (signal) => this.#driver.read(property, this.#device, signal));
  }

  /** @throws MapperError as `start`, `mapper.read-only` when the driver cannot write */
  async write(property: Property, value: Value, life: AbortSignal): Promise<void> {
    if (!this.#driver.write) throw new MapperError(MapperErrors.readOnly, `property ${property.name} cannot be written: the driver has no write`);
    await this.#call(`write of ${property.name}`, life, (signal) => this.#driver.write?.(property, value, this.#device, signal));
  }

  /** Only when `canTellState`. @throws MapperError as `start` */
  state(life: AbortSignal): Promise<DeviceState | undefined> {
    return this.#call('state', life, (signal) => this.#driver.state?.(this.#device, signal));
  }

  /** Never fails: who cannot be stopped is left alone. */
  async stop(log: Log): Promise<void> {
    const { stop } = this.#driver;
    if (!stop) return;
    const { initMs } = this.#timing;
    await within(() => stop.call(this.#driver, this.#device), initMs, new AbortController().signal, () => late('stop', initMs)).catch((error: unknown) => {
      log.warn(`device ${this.#device.id}: its driver did not stop: ${errorText(error)}`);
    });
  }

  async #call<T>(what: string, life: AbortSignal, work: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
    try {
      const result = await within(work, this.#timing.callMs, life, () => late(what, this.#timing.callMs));
      this.failuresInARow = 0;
      return result;
    } catch (error) {
      this.failuresInARow += 1;
      this.lastError = errorText(error);
      this.lost ||= codeOf(error) === MapperErrors.deviceAway;
      throw named(error, what);
    }
  }
}

function late(what: string, milliseconds: number): MapperError {
  return new MapperError(MapperErrors.driverTimeout, `${what} did not end within ${milliseconds} ms`);
}

/** Errors of this package say enough; the driver's own get the name of the call. */
function named(error: unknown, what: string): MapperError {
  const code = codeOf(error);
  if (error instanceof MapperError && (code === MapperErrors.stopped || code === MapperErrors.driverTimeout || code === MapperErrors.badSetting)) return error;
  return new MapperError(MapperErrors.driverFailed, `${what} failed: ${errorText(error)}`, { cause: error });
}
