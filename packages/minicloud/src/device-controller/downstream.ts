import type { KubeObject, ObjectStore, StoreEvent } from '@edge/kubeapi';
import { type Message, sameData } from '@edge/protocol';
import { follow } from '../controllers/controller.js';
import { DEVICE_MODELS, DEVICES, keyOf, type StoredDevice, type StoredDeviceModel } from '../objects.js';
import { DeviceIndex, modelKeyOf } from './device-index.js';
import { deviceContent, deviceMessage, membershipMessage, modelMessage, type PushOperation } from './messages.js';

/** What the pushes go to: the hub. */
export interface DeviceTarget {
  push(node: string, message: Message): boolean;
  hasRecord(node: string, uid: string): boolean;
  forgetObject(node: string, uid: string): void;
}

export interface DeviceDownstreamDeps {
  readonly store: ObjectStore;
  readonly hub: DeviceTarget;
  /** So long a device waits for a model that does not exist before it goes without. Milliseconds. */
  readonly modelWaitMs: number;
}

interface Held {
  readonly operation: PushOperation;
  readonly timer: NodeJS.Timeout;
}

/** Follows devices and models and tells the nodes: membership first, then the model, then the device. */
export class DeviceDownstream {
  readonly #deps: DeviceDownstreamDeps;
  readonly #index = new DeviceIndex();
  /** Devices that wait for their model, by key. */
  readonly #held = new Map<string, Held>();
  readonly #stops: (() => void)[] = [];

  constructor(deps: DeviceDownstreamDeps) {
    this.#deps = deps;
  }

  /** Tells of everything that is there, then of every change. */
  start(): void {
    const { store } = this.#deps;
    this.#stops.push(
      follow(store, DEVICE_MODELS, (object, event) => this.#model(object as unknown as StoredDeviceModel, event)),
      follow(store, DEVICES, (object, event) => this.#device(object as unknown as StoredDevice, event)),
    );
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    for (const key of [...this.#held.keys()]) this.#unhold(key);
  }

  /**
   * The device or model of a record as its node has to hold it; undefined when it is gone or no longer the node's:
   * moved to another one, or a model that none of its devices uses.
   */
  current<T extends KubeObject>(node: string, object: T | undefined): T | undefined {
    if (!object) return undefined;
    if (object.kind === 'DeviceModel') return this.#index.isModelUsed(node, keyOf(object)) ? object : undefined;
    const device = object as unknown as StoredDevice;
    return device.spec.nodeName === node ? deviceContent(device) as unknown as T : undefined;
  }

  /** Pushes the devices of a node, with their models, that it has never been told of or has been told to forget. */
  complete(node: string): void {
    const { hub } = this.#deps;
    for (const device of this.#index.at(node)) {
      if (this.#held.has(keyOf(device))) continue;
      const model = this.#modelOf(device);
      if (model && !hub.hasRecord(node, model.metadata.uid)) hub.push(node, modelMessage('insert', model));
      if (!hub.hasRecord(node, device.metadata.uid)) hub.push(node, deviceMessage('insert', device));
    }
  }

  #device(device: StoredDevice, event: StoreEvent | undefined): void {
    const key = keyOf(device);
    const known = this.#index.get(key);
    if (event?.type === 'deleted') return this.#remove(device);
    if (known && known.metadata.uid === device.metadata.uid && known.spec.nodeName === device.spec.nodeName) {
      this.#index.set(device);
      if (!sameData(known.spec, device.spec)) this.#send('update', device);
      return;
    }
    if (known) this.#remove(known);
    this.#index.set(device);
    if (!device.spec.nodeName) return;
    this.#deps.hub.push(device.spec.nodeName, membershipMessage('added', device));
    this.#send('insert', device);
  }

  #remove(device: StoredDevice): void {
    const key = keyOf(device);
    const node = device.spec.nodeName;
    this.#index.remove(key);
    const neverSent = this.#unhold(key)?.operation === 'insert';
    if (!node) return;
    const { hub, store } = this.#deps;
    hub.push(node, membershipMessage('removed', device));
    const model = this.#modelOf(device);
    const isModelLeft = model && !this.#index.isModelUsed(node, keyOf(model));
    if (isModelLeft) hub.push(node, modelMessage('delete', model));
    if (!neverSent) hub.push(node, deviceMessage('delete', device));
    // Nobody will ever acknowledge it where there is no node.
    if (store.get({ resource: 'nodes', namespace: '', name: node })) return;
    hub.forgetObject(node, device.metadata.uid);
    if (isModelLeft) hub.forgetObject(node, model.metadata.uid);
  }

  /** Sends a device after its model, or holds it back while the model is missing. */
  #send(operation: PushOperation, device: StoredDevice): void {
    const { hub, modelWaitMs } = this.#deps;
    const key = keyOf(device);
    const node = device.spec.nodeName;
    if (!node) return;
    const first = this.#unhold(key)?.operation ?? operation;
    const modelKey = modelKeyOf(device);
    const model = this.#modelOf(device);
    if (modelKey !== undefined && !model) {
      this.#held.set(key, { operation: first, timer: setTimeout(() => this.#release(key), modelWaitMs) });
      return;
    }
    if (model && (first === 'update' || !this.#index.isModelUsed(node, keyOf(model), key))) hub.push(node, modelMessage(first, model));
    hub.push(node, deviceMessage(first, device));
  }

  /** The wait is over: the device goes, after its model or without it. */
  #release(key: string): void {
    const device = this.#index.get(key);
    const held = this.#unhold(key);
    if (device?.spec.nodeName && held) this.#deps.hub.push(device.spec.nodeName, deviceMessage(held.operation, device));
  }

  #unhold(key: string): Held | undefined {
    const held = this.#held.get(key);
    clearTimeout(held?.timer);
    this.#held.delete(key);
    return held;
  }

  /** A change of a model alone is left to the hub's comparison, as CloudCore does it. */
  #model(model: StoredDeviceModel, event: StoreEvent | undefined): void {
    if (event?.type === 'modified') return;
    const { hub } = this.#deps;
    const key = keyOf(model);
    for (const node of this.#index.nodesUsing(key)) hub.push(node, modelMessage(event?.type === 'deleted' ? 'delete' : 'insert', model));
    if (event?.type === 'deleted') return;
    for (const heldKey of [...this.#held.keys()]) {
      const device = this.#index.get(heldKey);
      if (device && modelKeyOf(device) === key) this.#release(heldKey);
    }
  }

  #modelOf(device: StoredDevice): StoredDeviceModel | undefined {
    const name = device.spec.deviceModelRef?.name;
    if (!name) return undefined;
    return this.#deps.store.get({ resource: DEVICE_MODELS, namespace: device.metadata.namespace ?? '', name }) as unknown as StoredDeviceModel | undefined;
  }
}
