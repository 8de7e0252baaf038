import { keyOf, type StoredDevice } from '../objects.js';

/** The devices as the nodes were last told of them, by name and by node. */
export class DeviceIndex {
  readonly #devices = new Map<string, StoredDevice>();
  readonly #nodes = new Map<string, Map<string, StoredDevice>>();

  get(key: string): StoredDevice | undefined {
    return this.#devices.get(key);
  }

  set(device: StoredDevice): void {
    const key = keyOf(device);
    this.remove(key);
    this.#devices.set(key, device);
    const node = device.spec.nodeName ?? '';
    let there = this.#nodes.get(node);
    if (!there) this.#nodes.set(node, (there = new Map()));
    there.set(key, device);
  }

  remove(key: string): void {
    const device = this.#devices.get(key);
    if (!device) return;
    this.#devices.delete(key);
    const node = device.spec.nodeName ?? '';
    const there = this.#nodes.get(node);
    there?.delete(key);
    if (there?.size === 0) this.#nodes.delete(node);
  }

  /** The devices of a node. */
  at(node: string): readonly StoredDevice[] {
    return [...(this.#nodes.get(node)?.values() ?? [])];
  }

  /** Whether a device of a node, other than the one with the key `except`, uses a model. */
  isModelUsed(node: string, model: string, except?: string): boolean {
    for (const [key, device] of this.#nodes.get(node) ?? []) if (key !== except && modelKeyOf(device) === model) return true;
    return false;
  }

  /** The nodes with devices that use a model. */
  nodesUsing(model: string): string[] {
    return [...this.#nodes.keys()].filter((node) => node !== '' && this.isModelUsed(node, model));
  }
}

/** `namespace/name` of the model that a device refers to; undefined when it refers to none. */
export function modelKeyOf(device: StoredDevice): string | undefined {
  const name = device.spec.deviceModelRef?.name;
  return name ? `${device.metadata.namespace ?? ''}/${name}` : undefined;
}
