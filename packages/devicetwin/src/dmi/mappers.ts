import { status } from '@grpc/grpc-js';
import type { Logger } from '@edge/core';
import type { DeviceModel as DmiDeviceModel, MapperInfo, MapperRegisterResponse } from '@edge/protocol/dmi';
import type { DeviceObjects } from '../objects/device-objects.js';
import type { MapperHealth, MapperLink } from './mapper/mapper-link.js';
import type { MapperRegistry } from './mapper/registry.js';
import type { Desired, Desiring, WantedDevice } from './plan/desired.js';
import { socketOf } from './registration.js';
import { RpcError } from './server/rpc-error.js';
import type { Registrar } from './server/handlers.js';

/** A link and its end. */
export interface RunningLink {
  readonly link: MapperLink;
  stop(): Promise<void>;
}

export interface MappersDeps {
  readonly objects: DeviceObjects;
  readonly registry: MapperRegistry;
  readonly desiring: Desiring;
  /** Starts a link to the mapper, which runs until it is stopped. */
  readonly start: (mapper: MapperInfo, desired: () => Desired) => RunningLink;
  /** The mapper is not called any more. */
  readonly forget: (mapper: MapperInfo) => void;
  readonly log: Logger;
}

/** One mapper of a protocol is called; registrations beyond this many are refused. */
const MOST_MAPPERS = 256;
/** Answers stay below the 4 MiB that gRPC clients take; the rest follows by calls. */
const MOST_ANSWER_BYTES = 3 * 1024 * 1024;

interface Known {
  readonly mapper: MapperInfo;
  readonly running: RunningLink;
}

/** The mappers of this node, one for each protocol: the one that registered last. */
export class Mappers implements Registrar {
  readonly #deps: MappersDeps;
  readonly #known = new Map<string, Known>();
  readonly #desired = new Map<string, Desired>();
  readonly #told = new Map<string, string>();
  readonly #waiting = new Set<string>();
  #restored = false;
  /** One after the other: two registrations of one protocol must not cross. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(deps: MappersDeps) {
    this.#deps = deps;
  }

  /** How each mapper is doing. */
  health(): readonly MapperHealth[] {
    return [...this.#known.values()].map(({ running }) => running.link.health());
  }

  /** Takes up what was registered before the agent started. */
  restore(mappers: readonly MapperInfo[]): void {
    for (const mapper of mappers) if (!this.#known.has(mapper.protocol)) this.#start(mapper);
    this.#restored = true;
    this.#tellWaiting();
  }

  /** The objects have changed. */
  changed(): void {
    this.#desired.clear();
    if (this.#restored) this.#tellWaiting();
    for (const { running } of this.#known.values()) running.link.wake();
  }

  register(mapper: MapperInfo, withData: boolean): Promise<MapperRegisterResponse> {
    const turn = this.#queue.then(() => this.#register(mapper, withData));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  mapperOf(deviceId: string): string | undefined {
    const protocol = this.#deps.objects.devices.get(deviceId)?.spec.protocol?.protocolName;
    return protocol === undefined ? undefined : this.#known.get(protocol)?.mapper.name;
  }

  /** Ends all links. */
  async stop(): Promise<void> {
    await Promise.all([...this.#known.values()].map(({ running }) => running.stop()));
    this.#known.clear();
  }

  async #register(mapper: MapperInfo, withData: boolean): Promise<MapperRegisterResponse> {
    const { registry, log } = this.#deps;
    const { name, protocol } = mapper;
    const before = this.#known.get(protocol);
    if (!before && this.#known.size >= MOST_MAPPERS) throw new RpcError(status.RESOURCE_EXHAUSTED, `fail to register mapper ${name}: this node has ${MOST_MAPPERS} mappers`);
    const same = before !== undefined && sameMapper(before.mapper, mapper);
    if (!same) {
      await registry.save(mapper);
      if (before && before.mapper.name !== name) {
        log.warn('another mapper takes over a protocol', { protocol, mapper: name, before: before.mapper.name });
        await registry.remove(before.mapper);
        this.#deps.forget(before.mapper);
      }
      // One name serves one protocol: its row has gone over to the new one.
      for (const [other, known] of this.#known) if (other !== protocol && known.mapper.name === name) await this.#end(other);
      if (before) await this.#end(protocol);
      this.#start(mapper);
    }
    const fields = { mapper: name, protocol, version: mapper.version, socket: socketOf(mapper) };
    // Mappers register now and then though nothing was lost.
    if (same) log.verbose(1, 'a mapper has registered once more', fields);
    else log.info('a mapper has registered', fields);
    const { running } = this.#known.get(protocol) as Known;
    const given = withData ? this.#given(protocol) : [];
    if (withData) running.link.holdings.registered({ devices: new Map(given), models: this.#modelsOf(protocol, given) });
    else running.link.holdings.doubt();
    running.link.registered();
    const { models } = this.#desiredOf(protocol);
    return {
      deviceList: given.map(([, { message }]) => message),
      modelList: given.map(([, { modelId }]) => models.get(modelId)?.message as DmiDeviceModel),
    };
  }

  #start(mapper: MapperInfo): void {
    const { protocol } = mapper;
    this.#waiting.delete(protocol);
    this.#known.set(protocol, { mapper, running: this.#deps.start(mapper, () => this.#desiredOf(protocol)) });
  }

  async #end(protocol: string): Promise<void> {
    const known = this.#known.get(protocol);
    this.#known.delete(protocol);
    await known?.running.stop();
  }

  /** The devices of the answer to a registration: as many as fit. */
  #given(protocol: string): [string, WantedDevice][] {
    const { devices, models } = this.#desiredOf(protocol);
    const given: [string, WantedDevice][] = [];
    let bytes = 0;
    for (const [id, device] of devices) {
      bytes += device.size + (models.get(device.modelId)?.size ?? 0);
      if (bytes > MOST_ANSWER_BYTES) break;
      given.push([id, device]);
    }
    return given;
  }

  #modelsOf(protocol: string, given: readonly [string, WantedDevice][]): Desired['models'] {
    const { models } = this.#desiredOf(protocol);
    const ids = new Set(given.map(([, { modelId }]) => modelId));
    return new Map([...models].filter(([id]) => ids.has(id)));
  }

  #desiredOf(protocol: string): Desired {
    const known = this.#desired.get(protocol);
    if (known) return known;
    const desired = this.#deps.desiring.of(this.#deps.objects, protocol);
    this.#desired.set(protocol, desired);
    this.#tell(desired.blocked);
    return desired;
  }

  /** Says once of each device why it is not sent. That the model is away is part of every removal. */
  #tell(blocked: Desired['blocked']): void {
    const { log, objects } = this.#deps;
    for (const [device, { reason, passing }] of blocked) {
      if (this.#told.get(device) === reason) continue;
      this.#told.set(device, reason);
      const what = 'a device is not sent to its mapper as it is';
      if (passing) log.verbose(1, what, { device, reason });
      else log.warn(what, { device, reason });
    }
    for (const device of this.#told.keys()) if (!objects.devices.has(device)) this.#told.delete(device);
  }

  /** Says once of each protocol that its devices wait for a mapper. */
  #tellWaiting(): void {
    const { log, objects } = this.#deps;
    for (const [device, { spec }] of objects.devices) {
      const protocol = spec.protocol?.protocolName;
      if (!protocol || this.#known.has(protocol) || this.#waiting.has(protocol)) continue;
      this.#waiting.add(protocol);
      log.info('no mapper of this protocol has registered yet; its devices wait for one', { protocol, device });
    }
  }
}

function sameMapper(a: MapperInfo, b: MapperInfo): boolean {
  return a.name === b.name && a.version === b.version && a.apiVersion === b.apiVersion && a.state === b.state && a.address.equals(b.address);
}
