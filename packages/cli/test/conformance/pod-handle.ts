import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Container, ContainerStatus, Pod } from '@edge/protocol';
import { eventually } from '../support/agent.js';
import type { Cluster } from './cluster.js';

const PATIENCE_MS = 120_000;

interface PodEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly uid?: string };
}

/** A pod of a spec: what the cloud knows of it now, and what can be done to it. Disposing it has it removed. */
export class PodHandle implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #logs: string;
  readonly #made: Pod;
  static #execs = 0;

  constructor(deps: { cluster: Cluster; logs: string }, made: Pod) {
    this.#cluster = deps.cluster;
    this.#logs = deps.logs;
    this.#made = made;
  }

  get name(): string {
    return this.#made.metadata.name ?? '';
  }

  get namespace(): string {
    return this.#made.metadata.namespace ?? '';
  }

  get uid(): string {
    return this.#made.metadata.uid ?? '';
  }

  /** As the cloud has it; undefined when it is gone. */
  get now(): Pod | undefined {
    const pod = this.#cluster.resource<Pod>('v1', 'pods').find(this.name, this.namespace);
    return pod?.metadata.uid === this.uid ? pod : undefined;
  }

  get ip(): string {
    const ip = this.now?.status?.podIP;
    if (!ip) throw new Error(`${this.name} has no address`);
    return ip;
  }

  /** Status of a container of any kind. */
  container(name = 'main'): ContainerStatus {
    const { status = {} } = this.now ?? {};
    const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? []), ...(status.ephemeralContainerStatuses ?? [])];
    return all.find((one) => one.name === name) ?? { name, state: {}, lastState: {}, ready: false, restartCount: 0, image: '', imageID: '' };
  }

  condition(type: string): string | undefined {
    return this.now?.status?.conditions?.find((condition) => condition.type === type)?.status;
  }

  /** Waits until it is so. */
  async until(what: string, fits: (pod: Pod) => boolean, timeoutMs = PATIENCE_MS): Promise<Pod> {
    let seen: Pod | undefined;
    const fitting = (): boolean => {
      seen = this.now;
      return seen !== undefined && fits(seen);
    };
    await eventually(fitting, timeoutMs, () => `${this.name}: not ${what} after ${timeoutMs} ms`).catch(async (cause: unknown) => {
      const events = (await this.events()).map(({ reason, message }) => `${reason}: ${message}`);
      throw new Error(`${String(cause)}; status ${JSON.stringify(seen?.status)}; events ${JSON.stringify(events)}; it said: ${this.output()}`);
    });
    return seen as Pod;
  }

  running(): Promise<Pod> {
    return this.until('running', ({ status }) => status?.phase === 'Running' && (status.containerStatuses ?? []).every(({ state }) => state.running));
  }

  ready(timeoutMs?: number): Promise<Pod> {
    return this.until('ready', () => this.condition('Ready') === 'True', timeoutMs);
  }

  /** In a final phase. */
  ended(timeoutMs?: number): Promise<Pod> {
    return this.until('over', ({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed', timeoutMs);
  }

  async succeeded(): Promise<this> {
    const { status } = await this.ended();
    if (status?.phase !== 'Succeeded') throw new Error(`${this.name} failed: ${JSON.stringify(status)}; it said: ${this.output()}`);
    return this;
  }

  async restarted(times: number, container = 'main', timeoutMs = PATIENCE_MS): Promise<ContainerStatus> {
    await this.until(`restarted ${times} times`, () => this.container(container).restartCount >= times, timeoutMs);
    return this.container(container);
  }

  /** What a container wrote, all its runs that have a log, without the last line break. */
  output(container = 'main'): string {
    const folder = join(this.#logs, `${this.namespace}_${this.name}_${this.uid}`, container);
    if (!existsSync(folder)) return '';
    const files = readdirSync(folder).sort((a, b) => parseInt(a, 10) - parseInt(b, 10));
    return files.map((file) => textOf(readFileSync(join(folder, file), 'utf8'))).join('').replace(/\n$/, '');
  }

  /** Waits until a container has written this. */
  async said(text: string | RegExp, container = 'main', timeoutMs = PATIENCE_MS): Promise<void> {
    const fits = (): boolean => (typeof text === 'string' ? this.output(container).includes(text) : text.test(this.output(container)));
    await eventually(fits, timeoutMs, () => `${this.name}: ${container} did not say ${String(text)} but: ${this.output(container)}; status ${JSON.stringify(this.now?.status)}`);
  }

  /** Runs a command in a running container, beside the agent, and gives its output. Throws when it fails. */
  async exec(command: readonly string[], container = 'main'): Promise<string> {
    const id = this.container(container).containerID?.split('//')[1];
    if (!id) throw new Error(`${this.name}: ${container} does not run`);
    return (await this.#cluster.containerd.ctr('task', 'exec', '--exec-id', `spec-${(PodHandle.#execs += 1)}`, id, ...command)).trimEnd();
  }

  /** As `exec`, by the shell. It ends a moment after the script: `ctr` drops what it has not copied yet when a process ends. */
  sh(script: string, container?: string): Promise<string> {
    return this.exec(['sh', '-c', `${script}; code=$?; sleep 1; exit $code`], container);
  }

  /** Path of the pod's network on the host, for `nsenter`. */
  async network(container = 'main'): Promise<string> {
    const id = this.container(container).containerID?.split('//')[1] ?? '';
    const tasks = await this.#cluster.containerd.ctr('task', 'ls');
    const pid = tasks.split('\n').find((line) => line.startsWith(id))?.split(/\s+/)[1];
    return `/proc/${pid}/ns/net`;
  }

  /** Changes the pod in the cloud. */
  async change(change: (copy: Pod) => void): Promise<void> {
    await this.#cluster.resource<Pod>('v1', 'pods').modify(this.name, this.namespace, change);
  }

  /** Events about it, in the order in which they were told. */
  async events(): Promise<PodEvent[]> {
    const { items } = await this.#cluster.resource<PodEvent>('v1', 'events').list({ namespace: this.namespace });
    return items.filter(({ involvedObject }) => involvedObject.uid === this.uid);
  }

  /** Waits for an event with this reason whose message holds the text. */
  async told(reason: string, text = '', timeoutMs = PATIENCE_MS): Promise<void> {
    let events: PodEvent[] = [];
    const fits = async (): Promise<boolean> => {
      events = await this.events();
      return events.some((event) => event.reason === reason && event.message.includes(text));
    };
    await eventually(fits, timeoutMs, () => `${this.name}: no event ${reason} with "${text}" but ${JSON.stringify(events.map(({ reason: other, message }) => `${other}: ${message}`))}`);
  }

  async remove(graceSeconds = 1): Promise<void> {
    await this.#cluster.resource<Pod>('v1', 'pods').delete(this.name, this.namespace, { gracePeriodSeconds: graceSeconds });
  }

  /** Resolves when the cloud has it no more. */
  async gone(timeoutMs = PATIENCE_MS): Promise<void> {
    await eventually(() => this.now === undefined, timeoutMs, () => `${this.name} is not gone: ${JSON.stringify(this.now)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.now) await this.remove();
  }
}

/** A shell script as container. */
export function shell(script: string, over: Partial<Container> = {}): Container {
  return { name: 'main', command: ['sh', '-c', script], ...over };
}

/** A container that does nothing until it is told to end, and ends at once then. */
export function idle(over: Partial<Container> = {}): Container {
  return shell('trap "exit 0" TERM; while true; do sleep 3600 & wait $!; done', over);
}

/** `<time> <stream> <tag> <text>`, where tag P stands for a part of a line. */
function textOf(log: string): string {
  return log.replace(/^\S+ \S+ ([FP])\S* (.*)\n/gm, (_, tag: string, text: string) => (tag === 'P' ? text : `${text}\n`));
}
