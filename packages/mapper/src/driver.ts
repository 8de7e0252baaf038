import type { Device, DeviceState, OpenDevice, Property } from './device/device.js';
import type { Value } from './device/values.js';

/**
 * What the author of a mapper writes: how to talk to one kind of device. The mapper does the rest.
 *
 * Calls for one device come one after the other, those for different devices side by side. Each has a limited time; when
 * it is over, or the mapper stops, `signal` aborts and the outcome counts no more. Whatever is thrown is logged with the
 * device's name and makes the device unhealthy; when nothing succeeds any more, the device is offline and is stopped and
 * started again with growing pauses. A driver that knows the device gone says so by a MapperError of the code
 * `mapper.device-away`; then that happens at once.
 *
 * `Connection` is whatever the driver needs to talk to the device; `init` gives it, and every other call gets it as
 * `device.connection`.
 */
export interface Driver<Connection = undefined> {
  /** Opens the device. Called before all others, and again after a `stop` when the device was lost or its manifest changed. */
  init(device: Device, signal: AbortSignal): Connection | Promise<Connection>;

  /** The present value of a property, of the property's type. */
  read(property: Property, device: OpenDevice<Connection>, signal: AbortSignal): Value | Promise<Value>;

  /**
   * Sets a property. The value is of the property's type and within the model's limits. Without this function nothing
   * can be written.
   */
  write?(property: Property, value: Value, device: OpenDevice<Connection>, signal: AbortSignal): void | Promise<void>;

  /** Closes the device. Called once after each `init` that succeeded, whatever happened in between. */
  stop?(device: OpenDevice<Connection>): void | Promise<void>;

  /** The device's state when the driver knows it; without this function the outcome of the calls says it. */
  state?(device: OpenDevice<Connection>, signal: AbortSignal): DeviceState | Promise<DeviceState>;
}
