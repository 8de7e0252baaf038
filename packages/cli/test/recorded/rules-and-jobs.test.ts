import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeMessage, type ActionStatus, type Message } from '@edge/protocol';
import { createTestCa, freePort, playRecordedCloud, type MemoryRuntime, type RecordedCloud } from '@edge/testing';
import { expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import { mqttClient, type TestClient } from '../support/mqtt.js';
import { enrol, startAgent, type AgentOptions } from './agent.js';
import { CloudRest } from './cloud-rest.js';
import { edgeMessages, frame, readRecording, type RecordingName } from './recordings.js';
import { recordedRuntime } from './runtime.js';

const PLAY_MS = 180_000;

interface Stage {
  readonly node: string;
  readonly names: readonly RecordingName[];
  readonly agent: Pick<AgentOptions, 'mqttPort' | 'serviceBusPort' | 'nodeJobs'>;
  /** Runs when the node is registered and before anything is played. */
  readonly before?: () => Promise<void>;
  /** Waited for before each step of the recordings, with its recorded time. */
  readonly reached?: (at: number, cloud: Pick<RecordedCloud, 'hear'>) => Promise<void>;
  readonly adapt?: (message: Message) => Message;
}

/** Plays the recordings to a whole agent by the clock of the machine; resolves with what was said. */
async function play({ node, names, agent: options, before, reached, adapt = (message) => message }: Stage): Promise<{ cloud: Pick<RecordedCloud, 'heard' | 'missed'>; runtime: MemoryRuntime }> {
  const recordings = names.map(readRecording);
  const folder = await mkdtemp(join(tmpdir(), 'edge-rules-jobs-'));
  const ca = await createTestCa();
  await enrol(ca, folder, node);
  const runtime = recordedRuntime(recordings);
  const rest = new CloudRest('');
  await using cloud = await playRecordedCloud({
    ca,
    captures: recordings,
    patienceMs: 60_000,
    adapt: (message, request) => rest.adapt(adapt(message), request),
    otherwise: rest.otherwise,
    between: async (index) => {
      if (index > 0) return;
      await eventually(() => cloud.heard.some(({ message }) => message.route.resource === `null/node/${node}`), 60_000, () => 'the node is not registered');
      await before?.();
    },
    reached: (at) => reached?.(at, { hear: (fits) => cloud.hear(fits) }),
  });
  try {
    await using _agent = await startAgent({ folder, node, cloud: cloud.address, runtime, ...options });
    await cloud.played(120_000);
    return { cloud: { heard: [...cloud.heard], missed: [...cloud.missed] }, runtime };
  } finally {
    runtime.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The service that the rule of the recording calls; keeps what it was asked. */
async function echoService(asked: string[]): Promise<Server> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part)).once('end', () => {
      asked.push(`${request.method} ${request.url} ${request.headers['content-type']} ${Buffer.concat(parts).toString()}`);
      response.setHeader('Date', 'Sun, 22 Nov 2026 02:03:02 GMT');
      response.end('ok-9070');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

it('[recorded-7.1] rules: a topic is listened to, a message published, a service of the node called, and the cloud hears of it what it heard from the Go agent, byte for byte but for ids and times', { timeout: PLAY_MS }, async () => {
  const [mqttPort, serviceBusPort] = [await freePort(), await freePort()];
  const asked: string[] = [];
  const service = await echoService(asked);
  const { port } = service.address() as AddressInfo;
  const isOfRules = ({ route }: Message): boolean => route.source === 'servicebus' || route.source === 'bus';
  const recording = readRecording('06-rules');
  const recorded = edgeMessages(recording).filter(({ message }) => isOfRules(message));
  const uploadedAt = recording.find((step) => step.kind === 'edge' && step.message.route.source === 'bus')?.at;
  let client: TestClient | undefined;
  try {
    const { cloud } = await play({
      node: 'edge-go',
      names: ['06-rules'],
      agent: { mqttPort, serviceBusPort },
      before: async () => {
        client = await mqttClient(mqttPort, ['testtopic']);
      },
      // The recorded service had this port; who has it here is not known.
      adapt: (message) => (message.route.source === 'router_servicebus' ? { ...message, route: { ...message.route, resource: message.route.resource.replace('9070', String(port)) } } : message),
      reached: async (at, { hear }) => {
        if (at !== uploadedAt) return;
        // As then: the program of the node publishes when the others have had what is theirs.
        expect(await client?.next(({ topic }) => topic === 'testtopic')).toEqual({ topic: 'testtopic', payload: '{"message":"hello"}' });
        await hear(({ route }) => route.source === 'servicebus');
        await client?.publish('default/uptopic', '{"up":1}');
      },
    });
    expect(cloud.missed).toEqual([]);
    expect(asked).toEqual(['POST /echo application/x-www-form-urlencoded {"message":"svc"}']);
    const heard = cloud.heard.filter(({ message }) => isOfRules(message));
    expect(heard.map(({ text }) => frame(text))).toEqual(recorded.map(({ text }) => frame(text)));
  } finally {
    await client?.[Symbol.asyncDispose]();
    service.close();
  }
});

it('[recorded-8.1] node jobs: an image is fetched, an upgrade and a change of the configuration are refused, and the cloud hears of them what it heard from the Go agent, byte for byte but for ids, times and two reasons', { timeout: PLAY_MS }, async () => {
  const names = ['08-image-prepull', '17-node-jobs'] as const;
  const isReport = ({ route }: Message): boolean => route.operation === 'UpdateNodeActionStatus';
  const recorded = names.flatMap((name) => edgeMessages(readRecording(name))).map(({ message }) => message).filter(isReport);
  const { cloud, runtime } = await play({ node: 'edge-node', names, agent: { nodeJobs: true } });
  expect(cloud.missed).toEqual([]);
  const heard = cloud.heard.map(({ message }) => message).filter(isReport);
  for (const job of ['imageprepulljob/pp1', 'nodeupgradejob/up1', 'configupdatejob/cu1']) {
    // Jobs go on side by side; each has its own order.
    const [theirs, ours] = [recorded, heard].map((messages) => messages.filter(({ route }) => route.resource.includes(`/${job}/`))) as [Message[], Message[]];
    expect(theirs.length, job).toBeGreaterThan(0);
    expect(ours.map((message, index) => frame(textLike(message, theirs[index]))), job).toEqual(theirs.map((message) => frame(encodeMessage(message))));
  }
  // What another agent on another machine says in its own words: there is no keadm, and the image's name is refused before it is pulled.
  const reason = (job: string): string | undefined => heard.map(({ route, content }) => ({ route, status: content as ActionStatus })).find(({ route, status }) => route.resource.includes(job) && !status.succ)?.status.reason;
  expect(reason('configupdatejob')).toContain('does not run from an installation');
  expect(reason('nodeupgradejob')).toContain('invalid reference format');
  expect(await runtime.imageStatus('docker.io/library/busybox:1.35', AbortSignal.timeout(20_000))).toBeDefined();
});

/** The frame with the time, and where it says that something went wrong with the reason, of the recorded one. */
function textLike(ours: Message, recorded: Message | undefined): string {
  const [own, theirs] = [ours.content as ActionStatus, (recorded?.content ?? {}) as Partial<ActionStatus>];
  const { finishTime = '', reason = '' } = theirs;
  return encodeMessage({ ...ours, content: { ...own, finishTime: own.finishTime === '' ? '' : finishTime, reason: own.succ || own.reason === '' ? own.reason : reason } });
}
