import { ensureDeviceStatus } from '../device-controller/status-object.js';
import { DEVICE_MODELS, DEVICE_STATUSES, DEVICES, keyOf, type StoredDevice, type StoredDeviceModel } from '../objects.js';
import { type Controller, type ControllerDeps, follow, listAll } from './controller.js';
import { deviceProblems } from './device-plan.js';
import { Reconciler } from './reconciler.js';

const NAME = 'device-controller';

/** Gives each device its DeviceStatus and tells by events what is wrong with it. */
export class Devices implements Controller {
  readonly #deps: ControllerDeps;
  readonly #stops: (() => void)[] = [];
  readonly #work: Reconciler;
  /** What was told of a device last, by uid, so that it is told once. */
  readonly #told = new Map<string, Set<string>>();

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.#work = new Reconciler({ name: NAME, log: deps.log, reconcile: (key) => this.#reconcile(key) });
  }

  start(): void {
    const { store } = this.#deps;
    this.#stops.push(
      follow(store, DEVICES, (object, event) => {
        if (event?.type === 'deleted') this.#told.delete(object.metadata.uid);
        else this.#work.enqueue(keyOf(object));
      }),
      follow(store, DEVICE_STATUSES, (object, event) => {
        if (event?.type === 'deleted') this.#work.enqueue(keyOf(object));
      }),
      follow(store, DEVICE_MODELS, (object, event) => {
        if (event) this.#enqueue((device) => device.spec.deviceModelRef?.name === object.metadata.name, object.metadata.namespace);
      }),
      follow(store, 'nodes', (object, event) => {
        if (event && event.type !== 'modified') this.#enqueue((device) => device.spec.nodeName === object.metadata.name);
      }),
    );
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.#work.stop();
  }

  #enqueue(concerns: (device: StoredDevice) => boolean, namespace?: string): void {
    for (const device of listAll<StoredDevice>(this.#deps.store, DEVICES, namespace)) if (concerns(device)) this.#work.enqueue(keyOf(device));
  }

  async #reconcile(key: string): Promise<void> {
    const { clients } = this.#deps;
    const [namespace = '', name = ''] = key.split('/');
    const device = clients.devices.find(name, namespace);
    if (!device || device.metadata.deletionTimestamp !== undefined) return;
    await ensureDeviceStatus(clients, device);
    this.#tell(device);
  }

  #tell(device: StoredDevice): void {
    const { store, clients, events } = this.#deps;
    const { nodeName, deviceModelRef } = device.spec;
    const model = deviceModelRef?.name ? store.get({ resource: DEVICE_MODELS, namespace: device.metadata.namespace ?? '', name: deviceModelRef.name }) : undefined;
    const problems = deviceProblems(device, model as unknown as StoredDeviceModel | undefined, !!nodeName && clients.nodes.find(nodeName) !== undefined);
    const told = this.#told.get(device.metadata.uid);
    for (const { reason, message } of problems) if (!told?.has(message)) events.record(NAME, device, 'Warning', reason, message);
    if (problems.length > 0) this.#told.set(device.metadata.uid, new Set(problems.map(({ message }) => message)));
    else this.#told.delete(device.metadata.uid);
  }
}
