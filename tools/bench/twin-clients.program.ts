import { answerQuestions } from './ask.js';
import { RawMqtt } from './raw-mqtt.js';

interface Question {
  readonly port: number;
  readonly devices: number;
  readonly updates: number;
  /** As fast as they come through with so many under way, */
  readonly window?: number;
  /** or so many a second. */
  readonly perSecond?: number;
}

interface Answer {
  readonly perSecond: number;
  /** From the publish to the result, in milliseconds, ascending. */
  readonly latencies: readonly number[];
}

let round = 0;

/** Publishes updates of twins with QoS 1, each of another value, to devices in turn, and waits for the results of all. */
answerQuestions<Question>(async ({ port, devices, updates, window = Infinity, perSecond }) => {
  round += 1;
  const sentAt = new Float64Array(updates);
  const latencies: number[] = [];
  let sent = 0;
  let finish = (): void => undefined;
  let fail = (_error: Error): void => undefined;
  const finished = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  const publish = (): void => {
    const value = `${round}.${sent}`;
    sentAt[sent] = performance.now();
    const body = { event_id: String(sent), timestamp: Date.now(), twin: { temperature: { actual: { value } } } };
    publisher.publish(`$hw/events/device/default/d${sent % devices}/twin/update`, Buffer.from(JSON.stringify(body)), 1);
    sent += 1;
  };
  const publishMore = (): void => {
    while (perSecond === undefined && sent < updates && sent - latencies.length < window) publish();
  };
  const onResult = (payload: Buffer): void => {
    const result = JSON.parse(payload.toString()) as { event_id: string; code?: number };
    if (result.code !== undefined) return fail(new Error(`an update was refused: ${payload.toString()}`));
    latencies.push(performance.now() - (sentAt[Number(result.event_id)] ?? 0));
    if (latencies.length === updates) finish();
    else publishMore();
  };
  using subscriber = await RawMqtt.open(port, 'bench-results', onResult);
  using publisher = await RawMqtt.open(port, 'bench-device');
  await subscriber.subscribe('$hw/events/device/+/+/twin/update/result', 0);
  const start = performance.now();
  publishMore();
  const timer = perSecond === undefined ? undefined : setInterval(() => {
    while (sent < updates && sent < ((performance.now() - start) / 1000) * perSecond) publish();
  }, 2);
  await finished.finally(() => clearInterval(timer));
  return { perSecond: updates / ((performance.now() - start) / 1000), latencies: latencies.sort((a, b) => a - b) } satisfies Answer;
});
