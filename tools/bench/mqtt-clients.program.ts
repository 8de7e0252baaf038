import { answerQuestions } from './ask.js';
import { RawMqtt } from './raw-mqtt.js';

interface Question {
  readonly port: number;
  readonly qos: 0 | 1;
  readonly messages: number;
  readonly bytes: number;
  /** Messages on the way at most: published and not delivered (QoS 0) or not both delivered and acknowledged (QoS 1). */
  readonly window: number;
}

/** One publisher and one subscriber; resolves with messages a second from publisher to subscriber. */
answerQuestions<Question>(async ({ port, qos, messages, bytes, window }) => {
  const payload = Buffer.alloc(bytes, 'x');
  const warmUp = Math.floor(messages / 5);
  let sent = 0;
  let delivered = 0;
  let acknowledged = 0;
  let startedAt = 0;
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const publishMore = (): void => {
    while (sent < warmUp + messages && sent - Math.min(delivered, qos === 0 ? delivered : acknowledged) < window) {
      publisher.publish('bench/data', payload, qos);
      sent += 1;
    }
  };
  const onMessage = (): void => {
    delivered += 1;
    if (delivered === warmUp) startedAt = performance.now();
    if (delivered === warmUp + messages) finish();
    publishMore();
  };
  const onAck = (): void => {
    acknowledged += 1;
    publishMore();
  };
  using subscriber = await RawMqtt.open(port, 'bench-subscriber', onMessage);
  using publisher = await RawMqtt.open(port, 'bench-publisher', undefined, onAck);
  await subscriber.subscribe('bench/data', qos);
  publishMore();
  await finished;
  return messages / ((performance.now() - startedAt) / 1000);
});
