import type { MessageBus } from '@edge/core';
import type { Device, DeviceModel, Message } from '@edge/protocol';
import type { DeviceObjectChange, DeviceObjects } from './device-objects.js';

/** The objects as metamanager has them: asked for once at the start, then kept by what it passes on. */
export class StoredDeviceObjects implements DeviceObjects {
  readonly devices = new Map<string, Device>();
  readonly models = new Map<string, DeviceModel>();
  readonly #listeners = new Set<(change: DeviceObjectChange) => void>();
  readonly #bus: MessageBus;

  constructor(deps: { bus: MessageBus }) {
    this.#bus = deps.bus;
  }

  /** Asks metamanager for what it has. */
  async load(_signal: AbortSignal): Promise<void> {
    void this.#bus;
  }

  /** A push that metamanager has stored. */
  handle(_message: Message): void {}

  follow(listener: (change: DeviceObjectChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
