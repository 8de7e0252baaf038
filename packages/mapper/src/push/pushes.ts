import type { PushMethod } from '@edge/protocol/dmi';
import type { Device, Property } from '../device/device.js';
import type { Sample } from '../device/property-work.js';
import { codeOf, errorText, MapperErrors } from '../errors.js';
import { Once, type Log } from '../log.js';
import { growingPause, now, pause } from '../time.js';
import { httpTarget } from './http-target.js';
import { influxdb2Target } from './influxdb2-target.js';
import { mqttTarget } from './mqtt-target.js';
import { mysqlTarget } from './mysql-target.js';
import { otelTarget } from './otel-target.js';
import type { PushedValue, PushTarget, Secrets } from './push-target.js';
import { redisTarget } from './redis-target.js';
import { tdengineTarget } from './tdengine-target.js';

/** A push method of a manifest and how to make its target. Methods with equal settings share one. */
export interface Method {
  readonly name: string;
  readonly settings: unknown;
  readonly make: () => PushTarget;
}

/** Pure: every method of a manifest; a property may have several. */
export function methodsOf({ http, mqtt, otel, dbMethod }: PushMethod, secrets: Secrets): Method[] {
  const methods: Method[] = [];
  if (http) methods.push({ name: 'http', settings: http, make: () => httpTarget(http) });
  if (mqtt) methods.push({ name: 'mqtt', settings: mqtt, make: () => mqttTarget(mqtt) });
  if (otel) methods.push({ name: 'otel', settings: otel, make: () => otelTarget(otel) });
  const { influxdb2, redis, tdengine, mysql } = dbMethod ?? {};
  if (influxdb2) methods.push({ name: 'influxdb2', settings: influxdb2, make: () => influxdb2Target(influxdb2, secrets) });
  if (redis) methods.push({ name: 'redis', settings: redis, make: () => redisTarget(redis, secrets) });
  if (tdengine) methods.push({ name: 'TDEngine', settings: tdengine, make: () => tdengineTarget(tdengine, secrets) });
  if (mysql) methods.push({ name: 'mysql', settings: mysql, make: () => mysqlTarget(mysql, secrets) });
  return methods;
}

/** One property's way through one method: one push at a time, the newest value waits, older ones are dropped. */
interface Pipe {
  readonly subject: string;
  readonly target: PushTarget | undefined;
  next: PushedValue | undefined;
  pushing: boolean;
  failures: number;
  pausedUntil: number;
}

/** Limit of closing the targets, which has nothing more to say. */
const CLOSE_MS = 1000;

/** Pushes values by the methods of their manifests. A target that hangs or fails holds up nobody else. */
export class Pushes {
  readonly #secrets: Secrets;
  readonly #log: Log;
  readonly #pause: { readonly firstMs: number; readonly limitMs: number };
  readonly #targets = new Map<string, PushTarget | undefined>();
  /** By device, property and method. */
  readonly #pipes = new Map<string, Map<string, Pipe>>();
  readonly #once = new Once();
  readonly #life = new AbortController();

  constructor(deps: { readonly secrets: Secrets; readonly log: Log; readonly pause: { readonly firstMs: number; readonly limitMs: number } }) {
    this.#secrets = deps.secrets;
    this.#log = deps.log;
    this.#pause = deps.pause;
  }

  push(device: Device, property: Property, sample: Sample): void {
    if (!property.push || this.#life.signal.aborted) return;
    const value: PushedValue = { namespace: device.namespace, device: device.name, property: property.name, type: property.type, ...sample };
    for (const method of methodsOf(property.push, this.#secrets)) {
      const pipe = this.#pipe(device.id, property.name, method);
      pipe.next = value;
      void this.#drain(pipe);
    }
  }

  forget(id: string): void {
    for (const pipe of this.#pipes.get(id)?.values() ?? []) pipe.next = undefined;
    this.#pipes.delete(id);
  }

  async stop(): Promise<void> {
    this.#life.abort();
    this.#pipes.clear();
    const closed = [...this.#targets.values()].map((target) => target?.close?.());
    const wait = new AbortController();
    await Promise.race([Promise.allSettled(closed), pause(CLOSE_MS, wait.signal)]);
    wait.abort();
    this.#targets.clear();
  }

  #pipe(id: string, property: string, method: Method): Pipe {
    const pipes = this.#pipes.get(id) ?? new Map<string, Pipe>();
    this.#pipes.set(id, pipes);
    const settings = JSON.stringify([method.name, method.settings]);
    const key = `${property} ${settings}`;
    const found = pipes.get(key);
    if (found) return found;
    const pipe: Pipe = { subject: `device ${id}: push of ${property} by ${method.name}`, target: this.#target(settings, method), next: undefined, pushing: false, failures: 0, pausedUntil: 0 };
    pipes.set(key, pipe);
    return pipe;
  }

  #target(key: string, method: Method): PushTarget | undefined {
    if (this.#targets.has(key)) return this.#targets.get(key);
    let target: PushTarget | undefined;
    try {
      target = method.make();
    } catch (error) {
      this.#log.error(errorText(error));
    }
    this.#targets.set(key, target);
    return target;
  }

  /** Pushes what is newest until there is nothing. After a failure the next value of the cycle is tried, once the pause is over. */
  async #drain(pipe: Pipe): Promise<void> {
    if (pipe.pushing || !pipe.target) return;
    pipe.pushing = true;
    while (pipe.next && now() >= pipe.pausedUntil && !this.#life.signal.aborted) {
      const value = pipe.next;
      pipe.next = undefined;
      try {
        await pipe.target.push(value, this.#life.signal);
        pipe.failures = 0;
        if (this.#once.clear(pipe.subject)) this.#log.info(`${pipe.subject} works again`);
      } catch (error) {
        if (codeOf(error) === MapperErrors.stopped || this.#life.signal.aborted) break;
        pipe.pausedUntil = now() + growingPause(this.#pause, pipe.failures);
        pipe.failures += 1;
        if (this.#once.say(pipe.subject, errorText(error))) this.#log.warn(`${pipe.subject} failed: ${errorText(error)}`);
      }
    }
    pipe.pushing = false;
  }
}
