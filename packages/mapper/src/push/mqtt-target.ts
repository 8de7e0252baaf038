import type { MqttClient } from 'mqtt';
import type { PushMethodMQTT } from '@edge/protocol/dmi';
import { MapperError, MapperErrors } from '../errors.js';
import { within } from '../time.js';
import { localTime, PUSH_MS, withoutSecrets, type PushTarget } from './push-target.js';

/**
 * A message `time is <local time>  <topic>: <value>` to the topic, as mapper-framework publishes. One connection as long
 * as the target lives; the library connects again after each loss.
 */
export function mqttTarget({ address, topic, qos, retained }: PushMethodMQTT): PushTarget {
  let client: Promise<MqttClient> | undefined;
  const opened = async (): Promise<MqttClient> => {
    // Loaded with the first value, because most mappers have no use for it.
    const { connect } = await import('mqtt');
    const made = connect(address.includes('://') ? address.replace(/^tcp:/, 'mqtt:') : `mqtt://${address}`, { reconnectPeriod: 500, connectTimeout: PUSH_MS, queueQoSZero: false, resubscribe: false });
    // What fails is told by the push that fails.
    made.on('error', () => undefined);
    return made;
  };
  const quality = qos === 1 || qos === 2 ? qos : 0;
  return {
    async push({ text, at }, signal) {
      const late = (): MapperError => new MapperError(MapperErrors.pushFailed, `MQTT ${withoutSecrets(address)}: not published within ${PUSH_MS} ms`);
      const broker = await (client ??= opened());
      await within(async (waits) => {
        if (!broker.connected) await connected(broker, waits);
        await broker.publishAsync(topic, `time is ${localTime(at)}  ${topic}: ${text}`, { qos: quality, retain: retained });
      }, PUSH_MS, signal, late).catch((error: unknown) => {
        throw error instanceof MapperError ? error : new MapperError(MapperErrors.pushFailed, `MQTT ${withoutSecrets(address)}`, { cause: error });
      });
    },
    async close() {
      await (await client)?.endAsync(true);
    },
  };
}

function connected(client: MqttClient, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      client.off('connect', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    client.once('connect', done);
    signal.addEventListener('abort', done, { once: true });
  });
}
