import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { eventually } from './agent.js';

export interface Received {
  readonly topic: string;
  readonly payload: string;
}

/** A client of a broker, as a program on the node has one. */
export interface TestClient extends AsyncDisposable {
  readonly received: readonly Received[];
  /** Resolves with the broker's acknowledgement. */
  publish(topic: string, payload: string | Buffer, qos?: 0 | 1 | 2): Promise<void>;
  /** Resolves with the first message from index `from` on that fits. */
  next(fits: (message: Received) => boolean, from?: number, timeoutMs?: number): Promise<Received>;
  readonly raw: MqttClient;
}

/** Connects, with patience for a broker that is about to start, and subscribes. */
export async function mqttClient(port: number, topics: readonly string[] = [], options: IClientOptions = {}): Promise<TestClient> {
  const raw = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 100, connectTimeout: 10_000, protocolVersion: 4, ...options }, true);
  const received: Received[] = [];
  raw.on('message', (topic, payload) => void received.push({ topic, payload: payload.toString() }));
  // A broker that goes away is what some tests are about.
  raw.on('error', () => undefined);
  if (topics.length > 0) await raw.subscribeAsync([...topics], { qos: 1 });
  return {
    raw,
    received,
    publish: async (topic, payload, qos = 1) => void (await raw.publishAsync(topic, payload, { qos })),
    next: async (fits, from = 0, timeoutMs = 30_000) => {
      const find = (): Received | undefined => received.slice(from).find(fits);
      await eventually(() => find() !== undefined, timeoutMs, () => `not received; since then: ${received.slice(from).map(({ topic, payload }) => `${topic} ${payload.slice(0, 200)}`).join('\n')}`);
      return find() as Received;
    },
    [Symbol.asyncDispose]: () => raw.endAsync(true),
  };
}
