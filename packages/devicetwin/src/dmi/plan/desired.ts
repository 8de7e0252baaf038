import { createHash } from 'node:crypto';
import { errorCode, errorText } from '@edge/core';
import type { Device, DeviceModel } from '@edge/protocol';
import { Device as DmiDevice, DeviceModel as DmiDeviceModel } from '@edge/protocol/dmi';
import type { DeviceTwinErrorCode } from '../../errors.js';
import type { NestedConfig } from '../convert/config-values.js';
import { dmiDevice } from '../convert/device.js';
import { mergeModel, modelIdOf, modelOf } from '../convert/merge.js';
import { dmiModel } from '../convert/model.js';

/** An object as a mapper is to have it. `spec` is a digest: equal digests need no call. */
export interface Wanted<Message> {
  readonly spec: string;
  readonly message: Message;
  /** Bytes of the message on the wire. */
  readonly size: number;
}

export interface WantedDevice extends Wanted<DmiDevice> {
  readonly modelId: string;
}

/** Why a device cannot be sent. It passes when the model is only not there yet. */
export interface Blocked {
  readonly reason: string;
  readonly passing: boolean;
}

/** All that a mapper is to have. Ids are `NAMESPACE/NAME`. */
export interface Desired {
  readonly models: ReadonlyMap<string, Wanted<DmiDeviceModel>>;
  readonly devices: ReadonlyMap<string, WantedDevice>;
  /** Devices of this protocol that cannot be sent as they are, with the reason. What a mapper has of them stays. */
  readonly blocked: ReadonlyMap<string, Blocked>;
}

export interface Objects {
  readonly devices: ReadonlyMap<string, Device>;
  readonly models: ReadonlyMap<string, DeviceModel>;
}

/** Works out what mappers are to have; remembers what it made of each object, so that one change costs one conversion. */
export class Desiring {
  readonly #nested: NestedConfig;
  readonly #models = new WeakMap<DeviceModel, Wanted<DmiDeviceModel>>();
  readonly #devices = new WeakMap<Device, { readonly model: DeviceModel; readonly wanted: WantedDevice }>();

  constructor(nested: NestedConfig) {
    this.#nested = nested;
  }

  /** What the mapper of a protocol is to have: the devices of the protocol, and the models that name it or that these follow. */
  of(objects: Objects, protocol: string): Desired {
    const models = new Map<string, Wanted<DmiDeviceModel>>();
    const devices = new Map<string, WantedDevice>();
    const blocked = new Map<string, Blocked>();
    for (const [id, model] of objects.models) if (model.spec.protocol === protocol) models.set(id, this.#model(model));
    for (const [id, device] of objects.devices) {
      if (device.spec.protocol?.protocolName !== protocol) continue;
      try {
        const model = modelOf(device, objects.models);
        const wanted = this.#device(device, model);
        models.set(wanted.modelId, this.#model(model));
        devices.set(id, wanted);
      } catch (error) {
        blocked.set(id, { reason: errorText(error), passing: errorCode(error) === ('devicetwin.dmi-no-model' satisfies DeviceTwinErrorCode) });
      }
    }
    return { models, devices, blocked };
  }

  #model(model: DeviceModel): Wanted<DmiDeviceModel> {
    const known = this.#models.get(model);
    if (known) return known;
    const message = dmiModel(model);
    const wanted = { message, ...digest(DmiDeviceModel.encode(inOrder(message)).finish()) };
    this.#models.set(model, wanted);
    return wanted;
  }

  #device(device: Device, model: DeviceModel): WantedDevice {
    const known = this.#devices.get(device);
    if (known?.model === model) return known.wanted;
    const message = dmiDevice(mergeModel(device, model), this.#nested);
    const wanted = { modelId: modelIdOf(device) ?? '', message, ...specOf(message) };
    this.#devices.set(device, { model, wanted });
    return wanted;
  }
}

/** The order of properties, methods and keys does not count, nor do reported values that older clouds keep in the status. */
function specOf(device: DmiDevice): Pick<WantedDevice, 'spec' | 'size'> {
  const { spec, status } = device;
  const plain: DmiDevice = {
    ...device,
    status: status && { ...status, twins: [] },
    spec: spec && {
      ...spec,
      protocol: spec.protocol && { ...spec.protocol, configData: byKey(spec.protocol.configData) },
      properties: byName(spec.properties).map((property) => ({
        ...property,
        desired: property.desired && { ...property.desired, metadata: sortedKeys(property.desired.metadata) },
        visitors: property.visitors && { ...property.visitors, configData: byKey(property.visitors.configData) },
        pushMethod: property.pushMethod && { ...property.pushMethod, anomalyDetection: byKey(property.pushMethod.anomalyDetection) },
      })),
      methods: byName(spec.methods),
    },
  };
  return digest(DmiDevice.encode(plain).finish());
}

function inOrder(model: DmiDeviceModel): DmiDeviceModel {
  return { ...model, spec: model.spec && { ...model.spec, properties: byName(model.spec.properties) } };
}

function byKey<T>(config: { data: Record<string, T> } | undefined): { data: Record<string, T> } | undefined {
  return config && { data: sortedKeys(config.data) };
}

function sortedKeys<T>(map: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function byName<T extends { name: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function digest(bytes: Uint8Array): { readonly spec: string; readonly size: number } {
  return { spec: createHash('sha256').update(bytes).digest('base64url').slice(0, 22), size: bytes.length };
}
