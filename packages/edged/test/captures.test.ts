import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { PodSandboxStatus, RuntimeContainerStatus } from '@edge/core';
import type { KubeNode, Lease, Pod } from '@edge/protocol';
import { nothingThere, type ActualPod } from '../src/plan/actual.js';
import { leaseBody } from '../src/plan/lease.js';
import { nodeChanges, nodePatchText } from '../src/plan/node-patch.js';
import { nodeLabels, nodeObject, nodeStatus, type NodeStatusInput } from '../src/plan/node-status.js';
import { podStatus, type PodStatusInput } from '../src/plan/pod-status.js';
import { isWorthSending, podPatchText, podStatusChanges, refusedChanges } from '../src/plan/status-patch.js';

interface Recorded {
  dir: 'up' | 'down';
  operation: string;
  resource: string;
  content: unknown;
}

function recorded(file: string): Recorded[] {
  return JSON.parse(readFileSync(new URL(`fixtures/${file}.json`, import.meta.url), 'utf8')) as Recorded[];
}
const patchesOf = (rows: Recorded[]): string[] => rows.filter(({ dir, operation }) => dir === 'up' && operation === 'patch').map(({ content }) => content as string);
const pushesOf = <T>(rows: Recorded[]): T[] => rows.filter(({ dir, operation }) => dir === 'down' && operation !== 'response').map(({ content }) => content as T);
const answersOf = <T>(rows: Recorded[]): T[] =>
  rows.filter(({ dir, operation, content }) => dir === 'down' && operation === 'response' && content !== 'OK').map(({ content }) => (content as { Object: T }).Object);
const at = (text: string): number => Date.parse(text);

const P1_ID = '8b438445c7efd7b5813650280c6b5bc7f3d3d6ccf7afc0589086d8e77ad53693';

/** What containerd had of the pod of captures 01 and 04. */
function p1Actual(state: 'ready' | 'notready', container: Partial<RuntimeContainerStatus>): ActualPod {
  const metadata = { name: 'p1', namespace: 'default', uid: '929230be-6dac-4243-b2ee-5c4c0c165df3', attempt: 0 };
  const sandbox: PodSandboxStatus = { id: 's', metadata, state, createdAt: 1, labels: {}, annotations: {}, ips: state === 'ready' ? ['10.88.7.7'] : [], hostNetwork: false };
  const run: RuntimeContainerStatus = {
    id: P1_ID,
    sandboxId: 's',
    metadata: { name: 'c', attempt: 0 },
    image: 'docker.io/library/busybox:1.35',
    imageRef: 'sha256:3288687446f4a9df6ae9aafe6460cd7978f187c638e03511fcfe9322d089babf',
    state: 'running',
    createdAt: at('2026-11-22T02:00:04Z'),
    startedAt: at('2026-11-22T02:00:04Z'),
    finishedAt: 0,
    exitCode: 0,
    reason: '',
    message: '',
    logPath: '',
    mounts: [],
    labels: { 'io.kubernetes.container.name': 'c' },
    annotations: { 'io.kubernetes.container.restartCount': '0' },
    ...container,
  };
  return { uid: metadata.uid, sandboxes: [sandbox], containers: [run] };
}

function input(pod: Pod, actual: ActualPod, now: string, over: Partial<PodStatusInput> = {}): PodStatusInput {
  return { pod, actual, previous: pod.status ?? {}, waiting: new Map(), terminating: false, hostIPs: ['192.0.2.2'], runtime: 'containerd', now: at(now), ...over };
}

describe('pod status patches as recorded', () => {
  it('[edged-5.1] the first patch of a new pod equals that of capture 01, byte for byte', () => {
    const rows = recorded('01-pod');
    const [pod] = pushesOf<Pod>(rows) as [Pod];
    const status = podStatus(input(pod, nothingThere(pod.metadata.uid ?? ''), '2026-11-22T01:58:49Z'));
    expect(podPatchText(pod.metadata.uid ?? '', podStatusChanges(pod, status))).toBe(patchesOf(rows)[0]);
  });

  it('[edged-5.2] what the old API server dropped is not sent again, which upstream does every 10 s', () => {
    const rows = recorded('01-pod');
    const [pod] = pushesOf<Pod>(rows) as [Pod];
    const [answered] = answersOf<Pod>(rows) as [Pod];
    const status = podStatus(input(pod, nothingThere(pod.metadata.uid ?? ''), '2026-11-22T01:58:49Z'));
    const remaining = podStatusChanges(answered, status);
    // This is the patch that upstream repeats.
    expect(podPatchText(pod.metadata.uid ?? '', remaining)).toBe(patchesOf(rows)[1]);
    expect(isWorthSending(remaining, refusedChanges(podStatusChanges(pod, status), remaining))).toBe(false);
  });

  it('[edged-5.3] the patch to Running equals that of capture 01', () => {
    const rows = recorded('01-pod');
    const [answered] = answersOf<Pod>(rows) as [Pod];
    const status = podStatus(input(answered, p1Actual('ready', {}), '2026-11-22T02:00:04Z'));
    expect(podPatchText(answered.metadata.uid ?? '', podStatusChanges(answered, status))).toBe(patchesOf(rows)[2]);
  });

  it('[edged-5.4] the patch with which a deleted pod ends equals that of capture 04', () => {
    const rows = recorded('04-pod');
    const [pod] = pushesOf<Pod>(rows) as [Pod];
    expect(pod.metadata.deletionTimestamp).toBeDefined();
    const ended = { state: 'exited' as const, exitCode: 137, reason: 'Error', finishedAt: at('2026-11-22T02:02:23Z') };
    const status = podStatus(input(pod, p1Actual('notready', ended), '2026-11-22T02:02:23Z', { terminating: true }));
    expect(podPatchText(pod.metadata.uid ?? '', podStatusChanges(pod, status))).toBe(patchesOf(rows)[1]);
  });

  it('[edged-5.5] the first patch of a scheduled pod equals that of capture 12', () => {
    const rows = recorded('12-pod');
    const [pod] = pushesOf<Pod>(rows) as [Pod];
    const status = podStatus(input(pod, nothingThere(pod.metadata.uid ?? ''), '2026-11-22T03:04:52Z'));
    expect(podPatchText(pod.metadata.uid ?? '', podStatusChanges(pod, status))).toBe(patchesOf(rows)[0]);
  });
});

const machine: Omit<NodeStatusInput, 'now'> = {
  name: 'edge-go',
  addresses: ['192.0.2.2'],
  identity: {
    machineID: '3d1219c7c4c5404aaa1f6d2a48adfda4',
    systemUUID: '3d1219c7c4c5404aaa1f6d2a48adfda4',
    bootID: '5f958c5f-2cff-4646-9e14-3d1c9086838d',
    kernelVersion: '6.18.44-fc-v669',
    osImage: 'Debian GNU/Linux 12 (bookworm)',
    architecture: 'amd64',
    operatingSystem: 'linux',
  },
  resources: { milliCpu: 2000, memory: 24684084n * 1024n, storage: 264212084n * 1024n, hugePages: { '1Gi': 0n, '2Mi': 0n } },
  rules: {
    maxPods: 110,
    podsPerCore: 0,
    systemReserved: {},
    kubeReserved: {},
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '10%' },
    ignoreEvictionLimits: false,
  },
  pressure: new Set(),
  agentVersion: 'v0.0.0-master+$Format:%h$',
  runtimeVersion: 'containerd://1.6.20',
  notReady: [],
  previous: [],
};
const about = { name: 'edge-go', architecture: 'amd64', operatingSystem: 'linux', labels: {} };

describe('node messages as recorded', () => {
  it.each([
    ['01-node', '2026-11-22T01:58:34Z', ['CSINode is not yet initialized']],
    ['10-node', '2026-11-22T02:03:36Z', []],
  ])('[edged-5.6] the registered node equals that of %s but for the version of a kube-proxy that is not there', (file, now, notReady) => {
    const insert = recorded(file).find(({ operation, resource }) => operation === 'insert' && resource === 'null/node/edge-go')?.content as KubeNode;
    const status = nodeStatus({ ...machine, notReady, now: at(now) });
    const node = nodeObject({ ...about, taints: [], schedulable: true, port: 10350, status });
    expect(insert.status?.nodeInfo?.['kubeProxyVersion']).toBe('v0.0.0-master+$Format:%H$');
    (insert.status?.nodeInfo as Record<string, string>)['kubeProxyVersion'] = '';
    // Texts, because the order of members counts as well.
    expect(JSON.stringify(node)).toBe(JSON.stringify(insert));
  });

  it('[edged-5.7] the patch from not ready to ready equals that of capture 01', () => {
    const rows = recorded('01-node');
    const known = answersOf<KubeNode | null>(rows).find((object) => object?.status !== undefined) as KubeNode;
    known.status = { ...known.status, nodeInfo: { ...known.status?.nodeInfo, kubeProxyVersion: '' } };
    const status = nodeStatus({ ...machine, previous: known.status.conditions ?? [], now: at('2026-11-22T01:58:35Z') });
    expect(nodePatchText(nodeChanges(known, { status, labels: nodeLabels(about) }, false))).toBe(patchesOf(rows)[1]);
  });

  it('[edged-5.8] a new session restates all of the conditions, so that a Ready turned to Unknown meanwhile is put right at once', () => {
    const rows = recorded('10-node');
    const known = answersOf<KubeNode>(rows).find((object) => object.status?.conditions !== undefined && object.metadata.uid !== undefined) as KubeNode;
    const status = nodeStatus({ ...machine, previous: known.status?.conditions ?? [], now: at('2026-11-22T02:04:00Z') });
    const patch = nodeChanges(known, { status, labels: nodeLabels(about) }, true) as { status: KubeNode['status'] };
    expect(patch.status?.conditions).toEqual(status.conditions);
  });

  it('[edged-5.9] a lease update is that of capture 10 without managed fields and the identity that the server keeps anyway', () => {
    const rows = recorded('10-node');
    const [known] = answersOf<Lease>(rows) as [Lease];
    const sent = rows.find(({ operation, resource }) => operation === 'update' && resource.includes('/lease/'))?.content as Lease;
    const body = leaseBody({ nodeName: 'edge-go', durationSeconds: 40, known, node: undefined, now: at('2026-11-22T02:03:36.140Z') });
    expect(body).toEqual({
      metadata: { name: 'edge-go', namespace: 'kube-node-lease', resourceVersion: sent.metadata.resourceVersion, ownerReferences: sent.metadata.ownerReferences },
      spec: { ...sent.spec, renewTime: '2026-11-22T02:03:36.140000Z' },
    });
    expect(JSON.stringify(body).length).toBeLessThan(JSON.stringify(sent).length / 2);
  });
});
