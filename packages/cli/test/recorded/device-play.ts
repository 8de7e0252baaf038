import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deviceAttrTable, deviceTable, deviceTwinTable, metaTable, type Message, type MetaRow } from '@edge/protocol';
import { createTestCa, freePort, playRecordedCloud, type CaptureStep, type Heard } from '@edge/testing';
import { eventually } from '../support/agent.js';
import { startFakeMapper, type MapperCall } from '../support/fake-mapper.js';
import { mqttClient, type Received } from '../support/mqtt.js';
import { enrol, startAgent, type Agent } from './agent.js';
import { CloudRest } from './cloud-rest.js';
import { readRecording, typeOf } from './recordings.js';
import { recordedRuntime } from './runtime.js';

/** What came of playing a recording about devices. */
export interface DevicePlay {
  readonly recording: readonly CaptureStep[];
  readonly heard: readonly Heard[];
  readonly sent: readonly Message[];
  readonly missed: readonly string[];
  /** What a client saw that subscribed to `$hw/#` once the device was there. */
  readonly mqtt: readonly Received[];
  readonly calls: readonly MapperCall[];
  /** Rows about devices just before the device was removed, and at the end. */
  readonly rows: { readonly before: Rows; readonly after: Rows };
  readonly log: Agent['log'];
}

/** Rows by table; of `meta` those about devices. */
export type Rows = Readonly<Record<'device' | 'device_attr' | 'device_twin' | 'meta', readonly object[]>>;

/** Something outside of the link that happened at that time of the recording. */
interface Act {
  readonly at: number;
  readonly run: () => Promise<unknown>;
}

/** A line of a mapper's calls; `dir` is the way of the request or of the response in it. */
interface CallLine {
  readonly t: number;
  readonly dir: string;
  readonly method: string;
  readonly request?: Readonly<Record<string, unknown>>;
}

const fixture = (name: string): string[] => readFileSync(new URL(`../fixtures/captures/${name}`, import.meta.url), 'utf8').trim().split('\n');

/** What `mosquitto_sub` had seen, as it printed it. */
export const recordedMqtt = (): Received[] => fixture('05-device.mqtt.log').map((line) => ({ topic: line.slice(0, line.indexOf(' ')), payload: line.slice(line.indexOf(' ') + 1) }));

export const recordedCalls = (): CallLine[] => fixture('16-dmi.calls.jsonl').map((line) => JSON.parse(line) as CallLine);

/** Only messages about devices; the rest of what the node had to say has its own plays. */
export function isAboutDevices(message: Message): boolean {
  return message.route.source === 'devicecontroller' || message.route.source === 'twin' || ['device', 'devicemodel'].includes(typeOf(message));
}

/** A program on the node talks to the device twin by MQTT. */
export function playMqtt(): Promise<DevicePlay> {
  return play('05-device', 'edge-go', async ({ mqttPort, mqtt, closing }) => {
    const log = recordedMqtt();
    const isRequest = ({ topic }: Received): boolean => /\/(update|get)$/.test(topic);
    return log.flatMap((request, index): Act[] => {
      if (!isRequest(request)) return [];
      const answers = log.slice(index + 1).findIndex(isRequest);
      // The removal of the device is the last line and nobody's answer.
      const until = answers < 0 ? log.length - 1 : index + 1 + answers;
      const at = (JSON.parse(log[index + 1]?.payload ?? '{}') as { timestamp: number }).timestamp;
      return [
        {
          at,
          run: async () => {
            if (mqtt.length === 0) mqtt.push(await mqttClient(mqttPort, ['$hw/#']));
            const [client] = mqtt;
            await client?.publish(request.topic, request.payload);
            await eventually(() => (client?.received.length ?? 0) >= until, 20_000, () => `after ${request.topic} only ${client?.received.length} messages of ${until}`);
          },
        },
      ];
    }).concat(closing(log.length));
  });
}

/** A mapper is told of the device, and reports. */
export function playMapper(): Promise<DevicePlay> {
  return play('16-dmi', 'edge-node', async ({ folder, mapper }) => {
    const lines = recordedCalls();
    let toldOf = 0;
    return lines.flatMap(({ t, dir, method, request }): Act[] => {
      if (request === undefined) return [];
      if (dir === 'edgecore->mapper') {
        toldOf += 1;
        const count = toldOf;
        return [{ at: t, run: () => (mapper[0] as Awaited<ReturnType<typeof startFakeMapper>>).called(count) }];
      }
      const register = async (): Promise<void> => {
        const edge = join(folder, 'dmi.sock');
        await eventually(() => existsSync(edge), 20_000, () => `${edge} is not there`);
        mapper.push(await startFakeMapper(join(folder, 'mapper.sock'), edge));
      };
      return [
        {
          at: t,
          run: async () => {
            if (method === 'MapperRegister') await register();
            await mapper[0]?.call(method as 'MapperRegister', method === 'MapperRegister' ? withAddress(request, join(folder, 'mapper.sock')) : request);
          },
        },
      ];
    });
  });
}

/** The recorded registration with the socket of this run. */
function withAddress(request: Readonly<Record<string, unknown>>, socket: string): object {
  const { api_version: apiVersion, ...mapper } = request['mapper'] as Readonly<Record<string, unknown>>;
  return { ...request, mapper: { ...mapper, apiVersion, address: Buffer.from(socket) } };
}

interface Stage {
  readonly folder: string;
  readonly mqttPort: number;
  readonly mqtt: Awaited<ReturnType<typeof mqttClient>>[];
  readonly mapper: Awaited<ReturnType<typeof startFakeMapper>>[];
  /** Waits at the end for so many messages of MQTT. */
  closing(count: number): Act[];
}

async function play(name: '05-device' | '16-dmi', node: string, actsOf: (stage: Stage) => Promise<Act[]>): Promise<DevicePlay> {
  const recording = readRecording(name).filter((step) => (step.kind === 'edge' || step.kind === 'cloud') && isAboutDevices(step.message));
  const removal = recording.findLast((step) => step.kind === 'cloud' && step.message.route.resource === 'membership')?.at ?? 0;
  const ca = await createTestCa();
  const folder = await mkdtemp(join(tmpdir(), 'edge-devices-'));
  const runtime = recordedRuntime([recording]);
  const mqttPort = await freePort();
  await enrol(ca, folder, node);
  const mqtt: Stage['mqtt'] = [];
  const mapper: Stage['mapper'] = [];
  const closing = (count: number): Act[] => [{ at: Infinity, run: () => eventually(() => (mqtt[0]?.received.length ?? 0) >= count, 20_000, () => `${mqtt[0]?.received.length} messages of ${count}`) }];
  const acts = await actsOf({ folder, mqttPort, mqtt, mapper, closing });
  let agent: Agent | undefined;
  let before: Rows | undefined;
  const upTo = async (at: number): Promise<void> => {
    while ((acts[0]?.at ?? Infinity) < at || (at === Infinity && acts.length > 0)) await acts.shift()?.run();
    if (at >= removal && before === undefined && agent) before = rowsOf(agent);
  };
  const rest = new CloudRest('');
  const cloud = await playRecordedCloud({
    ca,
    captures: [recording],
    patienceMs: 20_000,
    otherwise: (request) => (isAboutDevices(request) ? undefined : rest.otherwise(request)),
    reached: (at) => upTo(at),
  });
  try {
    agent = await startAgent({ folder, node, cloud: cloud.address, runtime, mqttPort });
    await cloud.played(60_000);
    await upTo(Infinity);
    await eventually(() => rowsOf(agent as Agent).device.length === 0, 20_000, () => 'the device is still there');
    const after = rowsOf(agent);
    await agent.stop();
    const heard = cloud.heard.filter(({ message }) => isAboutDevices(message));
    return { recording, heard, sent: cloud.sent, missed: cloud.missed, mqtt: [...(mqtt[0]?.received ?? [])], calls: [...(mapper[0]?.calls ?? [])], rows: { before: before as Rows, after }, log: agent.log };
  } finally {
    await mqtt[0]?.[Symbol.asyncDispose]();
    await mapper[0]?.[Symbol.asyncDispose]();
    await agent?.stop();
    await cloud[Symbol.asyncDispose]();
    runtime.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function rowsOf({ store }: Agent): Rows {
  const meta = store.table<MetaRow>(metaTable).all({ type: ['device', 'devicemodel', 'devicemapper'] }, { orderBy: ['key'] });
  return { device: store.table(deviceTable).all(), device_attr: store.table(deviceAttrTable).all(), device_twin: store.table(deviceTwinTable).all(), meta };
}
