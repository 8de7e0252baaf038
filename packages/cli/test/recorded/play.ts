import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMessage, type Lease, type Message } from '@edge/protocol';
import { createTestCa, playRecordedCloud, type CaptureStep, type MemoryRuntime, type RecordedCloud } from '@edge/testing';
import { enrol, startAgent, type Agent } from './agent.js';
import { CloudRest } from './cloud-rest.js';
import type { Evidence } from './compare.js';
import { differences } from './differences.js';
import { standsFor } from './pairing.js';
import { cloudMessages, objectIn, podIn, readRecording, typeOf, type RecordingName } from './recordings.js';
import { failSandboxesUntil, recordedRuntime, setReady } from './runtime.js';
import { recordedSide } from './sides.js';
import { eventually, PlayedTime, realPause } from './time.js';

/** What came of playing recordings to an agent. */
export interface Played extends Evidence {
  readonly names: readonly RecordingName[];
  readonly handshakes: RecordedCloud['handshakes'];
  /** Messages of the recording for which the play has waited in vain. */
  readonly missed: readonly string[];
  readonly log: Agent['log'];
}

/** Nothing more is expected when the agent was silent for so long; real time. */
const QUIET_MS = 400;

interface Scene {
  readonly folder: string;
  readonly cloud: RecordedCloud;
  readonly rest: CloudRest;
  readonly runtime: MemoryRuntime;
  agent: Agent;
}

/** A second at least, so that the conditions before and after have different times. */
const READY_AFTER_MS = 1000;
/** The first try after this time succeeds. It is due before the time at which the pod ran in the recording. */
const SANDBOX_WORKS_AT = Date.parse('2026-11-22T01:59:20Z');

/** The life of the node `edge-go`: joins, runs a pod, sees a ConfigMap change and the pod go; then the agent starts anew. */
export function playLife(): Promise<Played> {
  const names = ['01-join-ready-pod', '03-configmap-update', '04-pod-delete', '10-restart-with-certs'] as const;
  return play({
    node: 'edge-go',
    names,
    starts: [0, 3],
    prepare: ({ runtime }) => {
      // As in the recording: the node is not ready when it registers, and sandboxes fail at first.
      setReady(runtime, false);
      failSandboxesUntil(runtime, SANDBOX_WORKS_AT);
    },
    onHeard: ({ runtime }, { route }) => {
      if (route.operation === 'insert' && route.resource === 'null/node/edge-go') setTimeout(() => setReady(runtime, true), READY_AFTER_MS);
    },
    between: async (_scene, capture, restart) => {
      if (names[capture] === '10-restart-with-certs') await restart();
    },
  });
}

/** The node `edge-node`, with the two pods that it had: the cloud dies and comes back, a pod with a token, the link is cut. */
export function playOutages(): Promise<Played> {
  const names = ['14-cloud-restart-resync', '13-projected-token', '15-link-cut-resync'] as const;
  return play({
    node: 'edge-node',
    names,
    starts: [],
    before: earlierPods(names.map(readRecording)),
    between: async ({ rest }, capture) => {
      if (capture !== 0) return;
      await eventually('the node and its two pods are Ready', () => {
        const all = [rest.node, rest.pod('web-59bc799bd9-h9ncz'), rest.pod('web-59bc799bd9-c558l')];
        return all.every((one) => one?.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True');
      });
    },
  });
}

interface PlayOptions {
  readonly node: string;
  readonly names: readonly RecordingName[];
  /** Indexes of the recordings in which the agent is started. */
  readonly starts: readonly number[];
  /** Played before the recordings, and not compared. */
  readonly before?: readonly CaptureStep[];
  readonly prepare?: (scene: Pick<Scene, 'runtime'>) => void;
  readonly onHeard?: (scene: Pick<Scene, 'runtime'>, message: Message) => void;
  readonly between: (scene: Scene, capture: number, restart: () => Promise<void>) => Promise<void>;
}

async function play(options: PlayOptions): Promise<Played> {
  const { node, names, starts, before, between } = options;
  const recordings = names.map(readRecording);
  const parts = before ? [before, ...recordings] : recordings;
  const shift = parts.length - recordings.length;
  const omitted = new Set(recordedSide(recordings, starts).flatMap((one) => (differences.some(({ omits }) => omits?.(one)) ? [one.message] : [])));
  // Certificates are checked by the time of the machine, everything else happens at the recorded time.
  const ca = await createTestCa();
  const folder = await mkdtemp(join(tmpdir(), 'edge-recorded-'));
  await enrol(ca, folder, node);
  const runtime = recordedRuntime(recordings);
  const rest = new CloudRest(nodeUid(recordings));
  const firstAt = parts.flat()[0]?.at ?? 0;
  const time = new PlayedTime(firstAt);
  const scene = { folder, rest, runtime } as Scene;
  options.prepare?.(scene);
  const restart = async (at: number): Promise<void> => {
    await scene.agent.stop();
    await time.goOnTo(at, () => cloud.heard.length);
    scene.agent = await startAgent({ folder, node, cloud: scene.cloud.address, runtime: runtime.reopen() });
  };
  const cloud = await playRecordedCloud({
    ca,
    captures: parts,
    patienceMs: 20_000,
    omitted: (message) => omitted.has(message),
    match: standsFor,
    adapt: (message, request) => {
      if (request) options.onHeard?.(scene, request);
      return rest.adapt(message, request);
    },
    otherwise: rest.otherwise,
    between: async (capture) => {
      if (capture > 0) await time.goOnTo(parts[capture - 1]?.at(-1)?.at ?? 0, () => cloud.heard.length);
      if (capture > 0) await said(scene, capture - 1, parts[capture - 1] ?? []);
      await between(scene, capture - shift, () => restart(parts[capture]?.[0]?.at ?? 0));
    },
    reached: (at) => time.goOnTo(at, () => cloud.heard.length),
  });
  try {
    Object.assign(scene, { cloud });
    scene.agent = await startAgent({ folder, node, cloud: cloud.address, runtime });
    await cloud.played(90_000);
    await time.goOnTo(parts.at(-1)?.at(-1)?.at ?? 0, () => cloud.heard.length);
    await said(scene, parts.length - 1, parts.at(-1) ?? []);
    await scene.agent.stop();
    return {
      names,
      recordings,
      starts,
      heard: cloud.heard.map((one) => ({ ...one, capture: one.capture - shift })),
      sent: cloud.sent,
      handshakes: cloud.handshakes,
      missed: cloud.missed,
      log: scene.agent.log,
    };
  } finally {
    await scene.agent?.stop();
    await cloud[Symbol.asyncDispose]();
    runtime.close();
    time[Symbol.dispose]();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Resolves when the agent has said what it had to say in this recording, whether it was waited for or not. */
async function said({ cloud }: Scene, capture: number, steps: readonly CaptureStep[]): Promise<void> {
  const heardHere = (type: string): boolean => cloud.heard.some((one) => one.capture === capture && typeOf(one.message) === type);
  if (steps.some(({ kind }) => kind === 'open')) await eventually('lease and node status', () => heardHere('lease') && heardHere('nodepatch'));
  let before = -1;
  while (before !== cloud.heard.length) {
    before = cloud.heard.length;
    await realPause(QUIET_MS);
  }
}

/** The node's uid as its lease has it, for recordings that begin after it was registered. */
function nodeUid(recordings: readonly (readonly CaptureStep[])[]): string {
  const leases = recordings.flatMap((steps) => cloudMessages(steps)).filter((message) => typeOf(message) === 'lease');
  return leases.flatMap((message) => objectIn<Lease>(message)?.metadata.ownerReferences?.[0]?.uid ?? [])[0] ?? '';
}

/** Pods that were on the node when the recording began, as if they were assigned now. */
function earlierPods(recordings: readonly (readonly CaptureStep[])[]): CaptureStep[] {
  const [first = []] = recordings;
  const at = (first[0]?.at ?? 0) - 60_000;
  const pods = new Map(cloudMessages(first).flatMap((message) => podIn(message) ?? []).map((pod) => [pod.metadata.uid, pod]));
  return [...pods.values()].map((pod) => {
    const { namespace = '', name = '' } = pod.metadata;
    const content = { kind: 'Pod', apiVersion: 'v1', ...pod, status: { phase: 'Pending', qosClass: 'BestEffort' } };
    const message = createMessage({ source: 'edgecontroller', group: 'resource', operation: 'insert', resource: `${namespace}/pod/${name}`, content });
    return { kind: 'cloud', at, message, text: '' };
  });
}
