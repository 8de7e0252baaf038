import type { Twin } from '@edge/protocol/dmi';
import type { DeviceState } from '../device/device.js';
import { codeOf, errorText, MapperErrors } from '../errors.js';
import { Once, type Log } from '../log.js';
import { growingPause } from '../time.js';

/** The way to EdgeCore. */
export interface ReportTarget {
  reportStatus(namespace: string, name: string, twins: Twin[]): Promise<void>;
  reportState(namespace: string, name: string, state: string): Promise<void>;
}

interface Named {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
}

interface Entry {
  readonly device: Named;
  readonly twins: Map<string, Twin>;
  state: DeviceState | undefined;
  sending: boolean;
  failures: number;
  retry: NodeJS.Timeout | undefined;
  /** Refusals that were told. */
  readonly refusals: Set<string>;
}

/** Calls under way at a time, for all devices together. */
const PARALLEL = 16;
/** Refusals of one device that are told, each once. */
const MOST_REFUSALS = 8;
/** What is said of all devices together; no id of a device. */
const AWAY = 'EdgeCore';

/**
 * What EdgeCore has to learn: per device the latest value of each property and the latest state. Properties that come
 * together go together; one call per device at a time. What could not be said is said later, unless something newer
 * came, so that the memory in use does not grow while EdgeCore is away.
 */
export class Reports {
  readonly #target: ReportTarget;
  readonly #log: Log;
  readonly #pause: { readonly firstMs: number; readonly limitMs: number };
  readonly #entries = new Map<string, Entry>();
  readonly #waiting = new Set<Entry>();
  readonly #once = new Once();
  #inFlight = 0;
  #open = false;
  #soon: NodeJS.Immediate | undefined;

  constructor(deps: { readonly target: ReportTarget; readonly log: Log; readonly pause: { readonly firstMs: number; readonly limitMs: number } }) {
    this.#target = deps.target;
    this.#log = deps.log;
    this.#pause = deps.pause;
  }

  status(device: Named, twin: Twin): void {
    const entry = this.#entry(device);
    entry.twins.set(twin.propertyName, twin);
    this.#ready(entry);
  }

  state(device: Named, state: DeviceState): void {
    const entry = this.#entry(device);
    entry.state = state;
    this.#ready(entry);
  }

  /** Nothing of the device is reported any more. */
  forget(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    clearTimeout(entry.retry);
    this.#entries.delete(id);
    this.#waiting.delete(entry);
    this.#once.clear(id);
  }

  /** EdgeCore is there and knows the mapper: what waits is said now. */
  resume(): void {
    this.#open = true;
    for (const entry of this.#entries.values()) {
      clearTimeout(entry.retry);
      entry.retry = undefined;
      entry.failures = 0;
      this.#ready(entry);
    }
  }

  /** EdgeCore is away: everything is kept. */
  hold(): void {
    this.#open = false;
  }

  /** How many values and states wait to be said. */
  get waiting(): number {
    let count = 0;
    for (const { twins, state } of this.#entries.values()) count += twins.size + (state === undefined ? 0 : 1);
    return count;
  }

  stop(): void {
    this.#open = false;
    clearImmediate(this.#soon);
    for (const id of [...this.#entries.keys()]) this.forget(id);
  }

  #entry(device: Named): Entry {
    const found = this.#entries.get(device.id);
    if (found) return found;
    const entry: Entry = { device, twins: new Map(), state: undefined, sending: false, failures: 0, retry: undefined, refusals: new Set() };
    this.#entries.set(device.id, entry);
    return entry;
  }

  #ready(entry: Entry): void {
    if (!this.#open || entry.sending || entry.retry !== undefined) return;
    if (entry.twins.size === 0 && entry.state === undefined) return;
    this.#waiting.add(entry);
    // At the end of the turn, so that the properties of one round go in one call.
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      this.#sendWaiting();
    });
  }

  #sendWaiting(): void {
    for (const entry of this.#waiting) {
      if (!this.#open || this.#inFlight >= PARALLEL) return;
      this.#waiting.delete(entry);
      this.#inFlight += 1;
      entry.sending = true;
      void this.#send(entry).finally(() => {
        entry.sending = false;
        this.#inFlight -= 1;
        if (this.#entries.get(entry.device.id) === entry) this.#ready(entry);
        this.#sendWaiting();
      });
    }
  }

  async #send(entry: Entry): Promise<void> {
    const { device } = entry;
    const twins = [...entry.twins.values()];
    const { state } = entry;
    entry.twins.clear();
    entry.state = undefined;
    const errors: unknown[] = [];
    if (twins.length > 0) {
      await this.#target.reportStatus(device.namespace, device.name, twins).catch((error: unknown) => {
        errors.push(error);
        if (isFinal(error)) return;
        for (const twin of twins) if (!entry.twins.has(twin.propertyName)) entry.twins.set(twin.propertyName, twin);
      });
    }
    // Whatever became of the values: one that is refused must not hide that the device is lost.
    if (state !== undefined) {
      await this.#target.reportState(device.namespace, device.name, state).catch((error: unknown) => {
        errors.push(error);
        if (!isFinal(error)) entry.state ??= state;
      });
    }
    for (const error of errors) if (isFinal(error)) this.#sayRefused(entry, error);
    const [failure] = errors.filter((error) => !isFinal(error));
    if (failure !== undefined) {
      this.#failed(entry, failure);
      return;
    }
    entry.failures = 0;
    if (this.#once.clear(AWAY)) this.#log.info('reports reach EdgeCore again');
    if (this.#once.clear(device.id)) this.#log.info(`reports of device ${device.id} reach EdgeCore again`);
  }

  /** EdgeCore has taken what was good in the report; what it refused, it would refuse again. */
  #sayRefused({ device, refusals }: Entry, error: unknown): void {
    const text = errorText(error);
    if (refusals.has(text) || refusals.size >= MOST_REFUSALS) return;
    refusals.add(text);
    this.#log.warn(`EdgeCore refuses a report of device ${device.id}: ${text}`);
  }

  #failed(entry: Entry, error: unknown): void {
    const { device } = entry;
    if (this.#entries.get(device.id) !== entry || codeOf(error) === MapperErrors.stopped) return;
    if (codeOf(error) === MapperErrors.edgeCoreAway) {
      // The same for all devices.
      if (this.#once.say(AWAY, '')) this.#log.warn(`reports do not reach EdgeCore, the latest values are kept: ${errorText(error)}`);
    } else if (this.#once.say(device.id, errorText(error))) {
      this.#log.warn(`device ${device.id} could not be reported, the latest values are kept: ${errorText(error)}`);
    }
    entry.retry = setTimeout(() => {
      entry.retry = undefined;
      this.#ready(entry);
    }, growingPause(this.#pause, entry.failures));
    entry.failures += 1;
  }
}

/** Saying it once more would not help. */
function isFinal(error: unknown): boolean {
  return codeOf(error) === MapperErrors.reportRefused;
}
