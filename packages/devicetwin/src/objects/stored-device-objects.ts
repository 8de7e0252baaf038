import { backoffDelay, createCell, errorText, isAbort, silentLogger, sleep, type Backoff, type Logger, type MessageBus } from '@edge/core';
import { createMessage, Groups, isFields, Operations, sameData, type Device, type DeviceModel, type Message } from '@edge/protocol';
import { deviceTwinError } from '../errors.js';
import type { DeviceObjectChange, DeviceObjects } from './device-objects.js';
import { placeOf, readObject, type ObjectPlace } from './read-object.js';

const AGAIN: Backoff = { firstMs: 200, factor: 2, limitMs: 5000, jitter: 0.2 };
const TIMEOUT_MS = 5000;

/** The objects as metamanager has them: asked for once at the start, then kept by what it passes on. */
export class StoredDeviceObjects implements DeviceObjects {
  readonly devices = new Map<string, Device>();
  readonly models = new Map<string, DeviceModel>();
  readonly #listeners = new Set<(change: DeviceObjectChange) => void>();
  readonly #bus: MessageBus;
  readonly #log: Logger;
  readonly #loaded = createCell(false);
  /** What was pushed while the store was being read: newer than what the answer says of it. */
  #pushed: Set<string> | undefined;

  constructor(deps: { bus: MessageBus; log?: Logger }) {
    this.#bus = deps.bus;
    this.#log = deps.log ?? silentLogger;
  }

  /**
   * Asks metamanager for what it has, until it answers. What it does not have is removed here. Models come first.
   * @throws EdgeError `core.aborted`
   */
  async load(signal: AbortSignal): Promise<void> {
    this.#pushed = new Set();
    try {
      for (const type of ['devicemodel', 'device']) this.#take(type, await this.#ask(`stored/${type}`, signal));
    } finally {
      this.#pushed = undefined;
    }
    this.#loaded.set(true);
  }

  async untilLoaded(signal: AbortSignal): Promise<void> {
    await this.#loaded.until((loaded) => loaded, signal);
  }

  /** A push that metamanager has stored. One that is broken is logged and changes nothing. */
  handle(message: Message): void {
    const { resource, operation } = message.route;
    const place = placeOf(resource);
    if (!place) {
      this.#log.warn('a message about a device is not understood', { resource, operation });
      return;
    }
    try {
      if (operation === Operations.delete) this.#remove(place);
      else this.#set(readObject(place, message.content), place, true);
    } catch (error) {
      this.#log.error('an object of the cloud is broken and is set aside', { resource, reason: errorText(error) });
    }
  }

  follow(listener: (change: DeviceObjectChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #take(type: string, items: readonly unknown[]): void {
    const there = new Set<string>();
    const kind = type === 'device' ? 'device' : 'model';
    for (const item of items) {
      const key = isFields(item) && typeof item['key'] === 'string' ? item['key'] : '';
      const place = placeOf(key);
      try {
        if (!isFields(item) || place?.kind !== kind) throw deviceTwinError('devicetwin.bad-object', `its key ${JSON.stringify(key)} is not NAMESPACE/${type}/NAME`);
        const object = readObject(place, item['value']);
        // Upstream stores local edits under a key that is no object's.
        if (object.metadata.name !== place.name) throw deviceTwinError('devicetwin.bad-object', `it holds ${String(object.metadata.name)}`);
        there.add(idOf(place));
        if (!this.#pushed?.has(`${kind} ${idOf(place)}`)) this.#set(object, place, false);
      } catch (error) {
        this.#log.error('a stored object is broken and is set aside', { key, reason: errorText(error) });
      }
    }
    const known = kind === 'device' ? this.devices : this.models;
    for (const [id, { metadata }] of [...known]) {
      if (there.has(id) || this.#pushed?.has(`${kind} ${id}`)) continue;
      this.#remove({ kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' });
    }
  }

  #set(object: Device | DeviceModel, place: ObjectPlace, pushed: boolean): void {
    const { kind } = place;
    const id = idOf({ kind, namespace: object.metadata.namespace ?? place.namespace, name: object.metadata.name ?? place.name });
    if (pushed) this.#pushed?.add(`${kind} ${id}`);
    const known: Map<string, Device | DeviceModel> = kind === 'device' ? this.devices : this.models;
    const previous = known.get(id);
    if (previous && (older(object, previous) || sameData(object, previous))) return;
    known.set(id, object);
    this.#tell({ kind, change: 'set', id, object, ...(previous ? { previous } : {}) } as DeviceObjectChange);
  }

  #remove(place: ObjectPlace): void {
    const { kind } = place;
    const id = idOf(place);
    this.#pushed?.add(`${kind} ${id}`);
    const known: Map<string, Device | DeviceModel> = kind === 'device' ? this.devices : this.models;
    const previous = known.get(id);
    if (!previous) return;
    known.delete(id);
    this.#tell({ kind, change: 'removed', id, previous } as DeviceObjectChange);
  }

  #tell(change: DeviceObjectChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }

  async #ask(resource: string, signal: AbortSignal): Promise<readonly unknown[]> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const question = createMessage({ source: 'twin', group: Groups.meta, operation: Operations.get, resource });
        const { route, content } = await this.#bus.request({ group: Groups.meta }, question, { signal, timeoutMs: TIMEOUT_MS });
        if (route.operation !== Operations.error && isFields(content) && Array.isArray(content['items'])) return content['items'] as unknown[];
        throw deviceTwinError('devicetwin.objects', `metamanager answered ${route.operation}: ${(JSON.stringify(content) ?? '').slice(0, 200)}`);
      } catch (error) {
        if (isAbort(error)) throw error;
        if (attempt === 3) this.#log.warn('the device objects cannot be read yet', { resource, reason: errorText(error) });
        await sleep(backoffDelay(AGAIN, attempt, Math.random()), signal);
      }
    }
  }
}

function idOf({ namespace, name }: ObjectPlace): string {
  return `${namespace}/${name}`;
}

/** A straggler: the same object in a version that came before. */
function older(object: Device | DeviceModel, than: Device | DeviceModel): boolean {
  const [mine, theirs] = [Number(object.metadata.resourceVersion), Number(than.metadata.resourceVersion)];
  return object.metadata.uid === than.metadata.uid && Number.isSafeInteger(mine) && Number.isSafeInteger(theirs) && mine < theirs;
}
