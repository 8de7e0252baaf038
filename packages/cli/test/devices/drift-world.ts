import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { silentLogger, type Logger } from '@edge/core';
import type { ResourceClient } from '@edge/kubeapi';
import type { Device, DeviceModel, DeviceStatus } from '@edge/protocol';
import { startMosquitto, type Mosquitto } from '@edge/testing';
import { mqttClient, type TestClient } from '../support/mqtt.js';
import { NODE, openScene, type Scene } from '../support/scene.js';
import { PROPERTIES, PROTOCOL, TARGET, valueAt, type Kind, type WorldSettings } from './world.js';

const MAPPER = fileURLToPath(new URL('../../dist-bundle/test/drift-mapper-main.mjs', import.meta.url));
const API = 'devices.kubeedge.io/v1beta1';
const EVENTS = 'default/user/drift/';

/** Cloud, agent, broker, mapper and MQTT programs, each of which can be taken away and brought back. */
export interface DriftWorld extends AsyncDisposable {
  readonly scene: Scene;
  readonly broker: Mosquitto;
  readonly devices: ResourceClient<Device>;
  readonly names: Readonly<Record<Kind, readonly string[]>>;
  /** Events that the broker has acknowledged, and those that the cloud has. */
  readonly events: { readonly acknowledged: ReadonlySet<number>; readonly arrived: ReadonlySet<number> };
  /** From now on events are sent as well: a broker keeps nothing for an agent that it has never seen. */
  startEvents(): void;
  killMapper(): Promise<void>;
  startMapper(): void;
  /** Nothing changes from now on; programs report what they have once more and fall silent. */
  freeze(): Promise<void>;
  /** What a property must be everywhere once the world is frozen. */
  finalValue(device: string, property: string): string;
  status(device: string): DeviceStatus | undefined;
  /** The newest time (Unix ms) at which the node saw a value of a device of that kind, by what the cloud has. */
  newest(kind: Kind): number;
  /** What was written to the real device last. */
  written(device: string): string | undefined;
}

export async function openDriftWorld(count: number, tickMs: number): Promise<DriftWorld> {
  const broker = await startMosquitto({ persistent: true });
  const arrived = new Set<number>();
  const scene = await openScene({
    log: tap((topic) => topic.includes(EVENTS) && void arrived.add(Number(topic.slice(topic.lastIndexOf('/') + 1)))),
    edit: (text) => {
      const config = parse(text) as { modules: Record<string, object> };
      config.modules['eventBus'] = { mqttMode: 2, mqttServerExternal: broker.url };
      return stringify(config);
    },
  });
  const folder = join(scene.folder, 'world');
  mkdirSync(folder);
  const names = { mapped: Array.from({ length: count / 2 }, (_, index) => `mapped-${index}`), mqtt: Array.from({ length: count / 2 }, (_, index) => `mqtt-${index}`) };
  const agentFolder = join(scene.folder, 'node', 'agent');
  const settings: WorldSettings = { folder, tickMs, edgeCoreSocket: join(agentFolder, 'dmi.sock'), socketPath: join(scene.folder, 'drift.sock') };
  const devices = scene.cloud.api.resource<Device>(API, 'devices');
  const statuses = scene.cloud.api.resource<DeviceStatus>(API, 'devicestatuses');
  await scene.cloud.api.resource<DeviceModel>(API, 'devicemodels').create(model() as never);
  const mapperLog = openSync(join(folder, 'mapper.log'), 'a');
  let mapper: ChildProcess | undefined;
  const startMapper = (): void => void (mapper = spawn(process.execPath, [MAPPER, JSON.stringify(settings)], { stdio: ['ignore', 'ignore', mapperLog], env: { ...process.env, NODE_OPTIONS: '' } }));
  const killMapper = async (): Promise<void> => {
    if (!mapper || mapper.exitCode !== null || mapper.signalCode !== null) return;
    const gone = once(mapper, 'exit');
    mapper.kill('SIGKILL');
    await gone;
  };
  startMapper();
  for (const name of [...names.mapped, ...names.mqtt]) await devices.create(device(name, names.mapped.includes(name) ? PROTOCOL : 'mqtt', 5) as never);
  const client = await mqttClient(broker.port, [], { clientId: 'programs', clean: false });
  const programs = new Programs(client, names.mqtt, tickMs);
  const frozenAt = (): number => Number(readFileSync(join(folder, 'frozen'), 'utf8'));
  const newestOf = (name: string): number => Math.max(0, ...(statuses.find(name, 'default')?.status?.twins ?? []).map(({ reported }) => Number(reported?.metadata?.timestamp ?? 0)));
  return {
    scene,
    broker,
    devices,
    names,
    events: { acknowledged: programs.acknowledged, arrived },
    startEvents: () => programs.startEvents(),
    startMapper,
    killMapper,
    freeze: async () => {
      const now = Date.now();
      writeFileSync(join(folder, 'frozen'), String(now));
      await programs.finish(now);
    },
    finalValue: (name, property) => String(valueAt(name, property, frozenAt(), tickMs)),
    status: (name) => statuses.find(name, 'default'),
    newest: (kind) => Math.max(...names[kind].map(newestOf)),
    written: (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : undefined),
    [Symbol.asyncDispose]: async () => {
      programs.stop();
      await killMapper();
      closeSync(mapperLog);
      await client[Symbol.asyncDispose]();
      await scene[Symbol.asyncDispose]();
      await broker[Symbol.asyncDispose]();
    },
  };
}

/** Programs of devices without a mapper: one message of QoS 1 per device and tick, the next one when that is acknowledged; and events. */
class Programs {
  readonly acknowledged = new Set<number>();
  readonly #client: TestClient;
  readonly #names: readonly string[];
  readonly #tickMs: number;
  readonly #open = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #event = 0;
  #withEvents = false;

  constructor(client: TestClient, names: readonly string[], tickMs: number) {
    this.#client = client;
    this.#names = names;
    this.#tickMs = tickMs;
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  startEvents(): void {
    this.#withEvents = true;
  }

  /** The last values, until the broker has them all. */
  async finish(now: number): Promise<void> {
    this.stop();
    await Promise.all(this.#names.map((name) => this.#report(name, now)));
  }

  #tick(): void {
    for (const name of this.#names) {
      if (this.#open.has(name)) continue;
      this.#open.add(name);
      void this.#report(name, Date.now()).finally(() => this.#open.delete(name));
    }
    if (!this.#withEvents) return;
    const number = (this.#event += 1);
    void this.#client.publish(`${EVENTS}${number}`, JSON.stringify({ number })).then(() => this.acknowledged.add(number), () => undefined);
  }

  #report(name: string, now: number): Promise<void> {
    const twin = Object.fromEntries(PROPERTIES.map((property) => [property, { actual: { value: String(valueAt(name, property, now, this.#tickMs)) } }]));
    return this.#client.publish(`$hw/events/device/default/${name}/twin/update`, JSON.stringify({ event_id: '', timestamp: now, twin })).catch(() => undefined);
  }
}

export function model(): object {
  const sensor = (name: string): object => ({ name, type: 'INT', accessMode: 'ReadOnly' });
  return { apiVersion: API, kind: 'DeviceModel', metadata: { name: 'drift', namespace: 'default' }, spec: { protocol: PROTOCOL, properties: [...PROPERTIES.map(sensor), { name: TARGET, type: 'INT', accessMode: 'ReadWrite' }] } };
}

export function device(name: string, protocol: string, target: number): object {
  const cycles = { reportToCloud: true, collectCycle: 1000, reportCycle: 1000 };
  const properties = PROPERTIES.map((property) => ({ name: property, ...cycles, visitors: { protocolName: protocol, configData: {} } }));
  return {
    apiVersion: API,
    kind: 'Device',
    metadata: { name, namespace: 'default' },
    spec: {
      deviceModelRef: { name: 'drift' },
      nodeName: NODE,
      protocol: { protocolName: protocol, configData: {} },
      properties: [...properties, { name: TARGET, ...cycles, desired: { value: String(target) }, visitors: { protocolName: protocol, configData: {} } }],
    },
  };
}

/** What nodes send for rules is nobody's in this cloud, which says so with the topic in its most talkative log. */
function tap(heard: (topic: string) => void): Logger {
  const logger: Logger = {
    ...silentLogger,
    verbose: (_level, _message, fields) => {
      if (typeof fields?.['resource'] === 'string') heard(fields['resource']);
    },
    named: () => logger,
  };
  return logger;
}
