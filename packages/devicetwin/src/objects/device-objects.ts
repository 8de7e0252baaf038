import type { Device, DeviceModel } from '@edge/protocol';

/** What changed. `previous` is what stood before; an update whose object equals it does not happen. */
export type DeviceObjectChange =
  | { readonly kind: 'device'; readonly change: 'set'; readonly id: string; readonly object: Device; readonly previous?: Device }
  | { readonly kind: 'device'; readonly change: 'removed'; readonly id: string; readonly previous: Device }
  | { readonly kind: 'model'; readonly change: 'set'; readonly id: string; readonly object: DeviceModel; readonly previous?: DeviceModel }
  | { readonly kind: 'model'; readonly change: 'removed'; readonly id: string; readonly previous: DeviceModel };

/**
 * The Device and DeviceModel objects that the cloud has assigned to this node, as metamanager has stored them. Membership
 * and mappers follow them. Ids are `NAMESPACE/NAME`.
 */
export interface DeviceObjects {
  readonly devices: ReadonlyMap<string, Device>;
  readonly models: ReadonlyMap<string, DeviceModel>;
  /**
   * Resolves when the maps hold all that is stored; before, a missing object says nothing.
   * @throws EdgeError `core.aborted`
   */
  untilLoaded(signal: AbortSignal): Promise<void>;
  /** Calls the listener for each change, in order, until the result is disposed. */
  follow(listener: (change: DeviceObjectChange) => void): Disposable;
}
