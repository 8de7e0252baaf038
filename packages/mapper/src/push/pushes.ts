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
  /** Key of its target. */
  readonly settings: string;
  readonly target: PushTarget | undefined;
  next: PushedValue | undefined;
  pushing: boolean;
  failures: number;
  pausedUntil: number;
  /** The manifest does not name it any more. */
  over: boolean;
}

/** A target and how many pipes lead to it. */
interface Used {
  readonly target: PushTarget | undefined;
  pipes: number;
}

/** Limit of closing the targets, which has nothing more to say. */
const CLOSE_MS = 1000;

/** Pushes values by the methods of their manifests. A target that hangs or fails holds up nobody else. */
export class Pushes {
  readonly #secrets: Secrets;
  readonly #log: Log;
  readonly #pause: { readonly firstMs: number; readonly limitMs: number };
  readonly #targets = new Map<string, Used>();
  readonly #closing = new Set<Promise<void>>();
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
    // A value that was read when the manifest changed has nowhere to go.
    if (!property.push || !device.properties.includes(property) || this.#life.signal.aborted) return;
    const value: PushedValue = { namespace: device.namespace, device: device.name, property: property.name, type: property.type, ...sample };
    for (const method of methodsOf(property.push, this.#secrets)) {
      const pipe = this.#pipe(device.id, property.name, method);
      pipe.next = value;
      void this.#drain(pipe);
    }
  }

  /** The manifest has changed: ways that it does not name any more are given up. */
  update(device: Device): void {
    const named = new Set(device.properties.flatMap(({ name, push }) => (push ? methodsOf(push, this.#secrets).map((method) => pipeKey(name, method)) : [])));
    const pipes = this.#pipes.get(device.id);
    for (const [key, pipe] of pipes ?? []) {
      if (named.has(key)) continue;
      pipes?.delete(key);
      this.#giveUp(pipe);
    }
  }

  forget(id: string): void {
    for (const pipe of this.#pipes.get(id)?.values() ?? []) this.#giveUp(pipe);
    this.#pipes.delete(id);
  }

  async stop(): Promise<void> {
    this.#life.abort();
    for (const id of [...this.#pipes.keys()]) this.forget(id);
    const wait = new AbortController();
    await Promise.race([Promise.all(this.#closing), pause(CLOSE_MS, wait.signal)]);
    wait.abort();
  }

  #pipe(id: string, property: string, method: Method): Pipe {
    const pipes = this.#pipes.get(id) ?? new Map<string, Pipe>();
    this.#pipes.set(id, pipes);
    const key = pipeKey(property, method);
    const found = pipes.get(key);
    if (found) return found;
    const settings = settingsKey(method);
    const pipe: Pipe = { subject: `device ${id}: push of ${property} by ${method.name}`, settings, target: this.#target(settings, method), next: undefined, pushing: false, failures: 0, pausedUntil: 0, over: false };
    pipes.set(key, pipe);
    return pipe;
  }

  #target(key: string, method: Method): PushTarget | undefined {
    const used = this.#targets.get(key) ?? { target: this.#made(method), pipes: 0 };
    used.pipes += 1;
    this.#targets.set(key, used);
    return used.target;
  }

  #made(method: Method): PushTarget | undefined {
    try {
      return method.make();
    } catch (error) {
      this.#log.error(errorText(error));
      return undefined;
    }
  }

  /** Ends a pipe, and its target with the last one. */
  #giveUp(pipe: Pipe): void {
    pipe.over = true;
    pipe.next = undefined;
    this.#once.clear(pipe.subject);
    const used = this.#targets.get(pipe.settings);
    if (!used || (used.pipes -= 1) > 0) return;
    this.#targets.delete(pipe.settings);
    // A target that cannot be closed has nothing more to say either.
    const closing: Promise<void> = (used.target?.close?.() ?? Promise.resolve()).catch(() => undefined).then(() => void this.#closing.delete(closing));
    this.#closing.add(closing);
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
        if (codeOf(error) === MapperErrors.stopped || pipe.over || this.#life.signal.aborted) break;
        pipe.pausedUntil = now() + growingPause(this.#pause, pipe.failures);
        pipe.failures += 1;
        if (this.#once.say(pipe.subject, errorText(error))) this.#log.warn(`${pipe.subject} failed: ${errorText(error)}`);
      }
    }
    pipe.pushing = false;
  }
}

function settingsKey({ name, settings }: Method): string {
  return JSON.stringify([name, settings]);
}

function pipeKey(property: string, method: Method): string {
  return `${property} ${settingsKey(method)}`;
}
