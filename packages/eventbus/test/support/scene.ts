import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import type { Message } from '@edge/protocol';
import { createMemoryStore, eventually, freePort, runModule, startMosquitto, type MemoryStore, type Mosquitto, type PlayedModule, type RunningModule, type Script } from '@edge/testing';
import { eventbus } from '../../src/index.js';

/** The two kinds of broker that the same suite runs on. */
export const BROKERS = ['embedded', 'mosquitto'] as const;
export type BrokerKind = (typeof BROKERS)[number] | 'both';

export interface SceneOptions {
  readonly store?: MemoryStore;
  /** What the twin answers; `OK` unless given. Undefined: no twin runs. */
  readonly twin?: Script | undefined;
  readonly hub?: Script | undefined;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly own?: Readonly<Record<string, unknown>>;
  readonly broker?: Mosquitto;
  readonly port?: number;
}

/** The module alone, with neighbours that are played and a real broker. */
export interface Scene extends AsyncDisposable {
  readonly kind: BrokerKind;
  readonly module: RunningModule;
  readonly store: MemoryStore;
  readonly twin: PlayedModule;
  readonly hub: PlayedModule;
  /** Port of the broker that clients use; of the embedded one when there are both. */
  readonly port: number;
  readonly mosquitto: Mosquitto | undefined;
  client(options?: IClientOptions): Promise<TestClient>;
}

export async function startScene(kind: BrokerKind, options: SceneOptions = {}): Promise<Scene> {
  const { store = createMemoryStore(), config = {}, own = {} } = options;
  const mosquitto = kind === 'embedded' ? undefined : (options.broker ?? (await startMosquitto()));
  const inner = options.port ?? (await freePort());
  const played: PlayedModule[] = [];
  const module = await runModule(eventbus, {
    store,
    config: {
      modules: {
        eventBus: {
          mqttMode: { embedded: 0, both: 1, mosquitto: 2 }[kind],
          mqttServerInternal: `tcp://127.0.0.1:${inner}`,
          ...(mosquitto === undefined ? {} : { mqttServerExternal: mosquitto.url }),
          ...config,
        },
      },
      edge: { eventBus: own },
    },
    neighbours: (bus) => {
      played.push(bus.play('twin', 'twin', 'twin' in options ? options.twin : () => 'OK'), bus.play('websocket', 'hub', 'hub' in options ? options.hub : () => 'OK'));
    },
  });
  const [twin, hub] = played as [PlayedModule, PlayedModule];
  if (mosquitto !== undefined && options.broker === undefined) await connected(module);
  if (kind !== 'mosquitto') await heard(module, 'MQTT broker listens');
  const clients: TestClient[] = [];
  const port = kind === 'mosquitto' ? (mosquitto as Mosquitto).port : inner;
  return {
    kind,
    module,
    store,
    twin,
    hub,
    port,
    mosquitto,
    client: async (more = {}) => {
      const client = await openClient(port, more);
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) await client.close();
      await module.stop();
      if (options.broker === undefined) await mosquitto?.[Symbol.asyncDispose]();
    },
  };
}

/** Both connections to the broker elsewhere stand. */
export async function connected(module: RunningModule, times = 1): Promise<void> {
  await heard(module, 'connected to the MQTT broker', 2 * times);
}

/** The log says so, that often. */
export async function heard(module: RunningModule, message: string, times = 1): Promise<void> {
  await eventually(
    async () => (module.lines.filter((line) => line.message === message).length >= times ? true : undefined),
    () => `the log says ${times}× "${message}"; it says: ${JSON.stringify(module.lines.slice(-20))}`,
  );
}

export interface Received {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
}

/** A client of a broker, with what it has received. */
export interface TestClient {
  readonly mqtt: MqttClient;
  readonly received: Received[];
  readonly texts: string[];
  /** Waits until so many messages are there. */
  until(count: number): Promise<Received[]>;
  publish(topic: string, payload: string | Buffer, qos?: 0 | 1 | 2, retain?: boolean): Promise<unknown>;
  close(force?: boolean): Promise<void>;
}

export async function openClient(port: number, options: IClientOptions = {}, url = `mqtt://127.0.0.1:${port}`): Promise<TestClient> {
  const mqtt = connect(url, { reconnectPeriod: 0, resubscribe: false, ...options });
  const received: Received[] = [];
  // Before it is connected: what waits for a session comes right behind CONNACK.
  mqtt.on('message', (topic, payload, { qos, retain }) => received.push({ topic, payload, qos, retain }));
  await new Promise<void>((resolve, reject) => {
    mqtt.once('connect', () => resolve());
    mqtt.once('error', reject);
    mqtt.once('close', () => reject(new Error('the connection was closed')));
  });
  return {
    mqtt,
    received,
    get texts() {
      return received.map(({ payload }) => payload.toString());
    },
    until: (count) =>
      eventually(
        async () => (received.length >= count ? received : undefined),
        () => `${count} messages; there are ${received.length}: ${received.slice(-5).map(({ topic }) => topic).join(' ')}`,
      ),
    publish: (topic, payload, qos = 1, retain = false) => mqtt.publishAsync(topic, payload, { qos, retain }),
    close: async (force = false) => {
      if (!mqtt.disconnected) await mqtt.endAsync(force || !mqtt.connected);
    },
  };
}

/** What a message says, in short. */
export function said({ route, content }: Message): string {
  return `${route.source}/${route.group} ${route.operation} ${route.resource} ${JSON.stringify(content)}`;
}
