import { describe, expect, it } from 'vitest';
import type { StoredDeployment, StoredNode, StoredPod, StoredReplicaSet, StoredService } from '../objects.js';
import { planDeployment, templateHash } from './deployment-plan.js';
import { deploymentStatus } from './deployment-status.js';
import { planSlices } from './endpoint-slices.js';
import { planEndpoints } from './endpoints.js';
import { planNode } from './node-lifecycle-plan.js';
import { planPodCleanup } from './pod-cleanup.js';
import { readQuantity } from './quantity.js';
import { planReplicaSet } from './replica-set-plan.js';
import { choosePlace } from './scheduler-plan.js';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const meta = (name: string, more: object = {}): StoredPod['metadata'] => ({ name, namespace: 'd', uid: `u-${name}`, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z', ...more });
const node = (name: string, more: { ready?: string; labels?: Record<string, string>; spec?: object; allocatable?: Record<string, string>; since?: string } = {}): StoredNode => ({
  apiVersion: 'v1', kind: 'Node', metadata: meta(name, { labels: more.labels ?? {} }), spec: { ...more.spec },
  status: {
    allocatable: more.allocatable ?? { cpu: '2', memory: '1Gi', pods: '110' },
    conditions: [{ type: 'Ready', status: (more.ready ?? 'True') as 'True', lastTransitionTime: more.since ?? '2026-01-01T00:00:00Z' }],
  },
});
const pod = (name: string, more: { spec?: object; meta?: object; ready?: boolean; status?: object } = {}): StoredPod => ({
  apiVersion: 'v1', kind: 'Pod', metadata: meta(name, more.meta), spec: { containers: [{ name: 'c' }], ...more.spec } as StoredPod['spec'],
  status: { phase: 'Running', conditions: more.ready ? [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T11:59:50Z' }] : [], ...more.status },
});

describe('the scheduler', () => {
  const place = (subject: StoredPod, ...nodes: StoredNode[]): unknown => choosePlace(subject, nodes.map((n) => ({ node: n, pods: [] })));

  it('[minicloud-7.1] takes ready nodes only, and the one with the fewest pods of the same owner', () => {
    expect(place(pod('p'), node('a', { ready: 'Unknown' }), node('b'))).toEqual({ node: 'b' });
    const owned = { meta: { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true }] } };
    expect(choosePlace(pod('p', owned), [{ node: node('a'), pods: [pod('x', owned)] }, { node: node('b'), pods: [pod('y'), pod('z')] }])).toEqual({ node: 'b' });
  });

  it.each([
    ['is cordoned', {}, { spec: { unschedulable: true } }],
    ['lacks a label', { nodeSelector: { disk: 'ssd' } }, {}],
    ['has a taint', {}, { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }],
    ['is full', {}, { allocatable: { pods: '0' } }],
    ['has too little memory', { containers: [{ name: 'c', resources: { requests: { memory: '2Gi' } } }] }, {}],
    ['is outside the affinity', { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'z', operator: 'In', values: ['1'] }] }] } } } }, {}],
  ])('[minicloud-7.2] leaves out a node that %s', (_title, spec, more) => {
    expect(place(pod('p', { spec }), node('a', more))).toEqual({ reason: expect.stringMatching(/^no node takes the pod: 1 /) as string });
  });

  it('[minicloud-7.3] lets tolerations, labels and affinity through', () => {
    const spec = {
      nodeSelector: { disk: 'ssd' }, tolerations: [{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoSchedule' }],
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'Exists' }] }] } } },
    };
    expect(place(pod('p', { spec }), node('a', { labels: { disk: 'ssd' }, spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } }))).toEqual({ node: 'a' });
    expect(place(pod('p'))).toEqual({ reason: 'there are no nodes' });
  });

  it.each([['250m', 0.25], ['1Gi', 1073741824], ['2', 2], ['1e3', 1000], ['nonsense', 0], [undefined, 0]])('[minicloud-7.4] reads the quantity %s', (text, value) => {
    expect(readQuantity(text)).toBe(value);
  });
});

describe('the life of a node', () => {
  it('[minicloud-7.5] leaves a ready node alone and takes its own taints away, not others', () => {
    expect(planNode(node('a'), false, NOW)).toEqual({ conditions: undefined, taints: undefined });
    const other = { key: 'mine', effect: 'NoSchedule' };
    const plan = planNode(node('a', { spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }, other] } }), false, NOW);
    expect(plan).toEqual({ conditions: undefined, taints: [other] });
  });

  it('[minicloud-7.6] makes a silent node unknown and unreachable, once', () => {
    const plan = planNode(node('a'), true, NOW);
    expect(plan.conditions).toMatchObject([{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', lastTransitionTime: '2026-01-01T12:00:00Z' }]);
    expect(plan.taints).toEqual([{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule', timeAdded: '2026-01-01T12:00:00Z' }]);
    const after = { ...node('a'), spec: { taints: plan.taints! }, status: { conditions: plan.conditions! } };
    expect(planNode(after, true, NOW + 1000)).toEqual({ conditions: undefined, taints: undefined });
  });

  it('[minicloud-7.7] removes pods of nodes that do not exist, and ending ones of nodes silent for long', () => {
    const on = { spec: { nodeName: 'a' } };
    const ending = pod('p', { ...on, meta: { deletionTimestamp: '2026-01-01T11:00:00Z' } });
    const silent = node('a', { ready: 'Unknown', since: '2026-01-01T11:30:00Z' });
    expect(planPodCleanup(pod('p', on), undefined, NOW, 600_000)).toContain('does not exist');
    expect(planPodCleanup(pod('p', on), silent, NOW, 600_000)).toBeUndefined();
    expect(planPodCleanup(ending, silent, NOW, 600_000)).toContain('1800 s');
    expect(planPodCleanup(ending, silent, NOW, 6_000_000)).toBeUndefined();
    expect(planPodCleanup(ending, node('a'), NOW, 600_000)).toBeUndefined();
    expect(planPodCleanup(pod('p'), undefined, NOW, 600_000)).toBeUndefined();
  });
});

const template = (image: string): StoredReplicaSet['spec']['template'] => ({ metadata: { labels: { app: 'w' } }, spec: { containers: [{ name: 'c', image }] } });
const set = (name: string, image: string, replicas: number, available: number, revision: number, more: object = {}): StoredReplicaSet => ({
  apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: meta(name, { annotations: { 'deployment.kubernetes.io/revision': String(revision) } }),
  spec: { replicas, selector: { matchLabels: { app: 'w' } }, template: template(image) }, status: { replicas, readyReplicas: available, availableReplicas: available }, ...more,
});
const deployment = (image: string, replicas: number, more: object = {}): StoredDeployment => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta('w', { generation: 3 }), spec: { replicas, selector: { matchLabels: { app: 'w' } }, template: template(image), ...more },
});
const sizes = (plan: ReturnType<typeof planDeployment>): Record<string, number> => Object.fromEntries(plan.scale.map((s) => [s.set.metadata.name, s.replicas]));

describe('a ReplicaSet', () => {
  it('[minicloud-7.8] plans nothing when it has what it wants', () => {
    const plan = planReplicaSet(set('s', 'i', 2, 0, 1), [pod('a', { ready: true }), pod('b')], NOW);
    expect(plan).toMatchObject({ create: 0, remove: [], status: { replicas: 2, readyReplicas: 1, availableReplicas: 1 } });
  });

  it('[minicloud-7.9] does not count what ended or is ending, and removes the least useful first', () => {
    const ended = [pod('x', { status: { phase: 'Failed' } }), pod('y', { meta: { deletionTimestamp: 'z' } })];
    expect(planReplicaSet(set('s', 'i', 2, 0, 1), [pod('a'), ...ended], NOW).create).toBe(1);
    const plan = planReplicaSet(set('s', 'i', 1, 0, 1), [pod('ready', { spec: { nodeName: 'n' }, ready: true }), pod('waiting'), pod('starting', { spec: { nodeName: 'n' } })], NOW);
    expect(plan.remove.map((p) => p.metadata.name)).toEqual(['waiting', 'starting']);
  });

  it('[minicloud-7.10] waits for minReadySeconds', () => {
    const slow = set('s', 'i', 1, 0, 1);
    slow.spec.minReadySeconds = 15;
    const plan = planReplicaSet(slow, [pod('a', { ready: true })], NOW);
    expect(plan.status.availableReplicas).toBe(0);
    expect(plan.lookAgainMs).toBe(5000);
  });
});

describe('a Deployment', () => {
  it('[minicloud-7.11] makes a set for its template, and plans nothing when that one is complete', () => {
    expect(planDeployment(deployment('1', 3), []).create).toEqual({ hash: templateHash(template('1')), revision: 1, replicas: 3 });
    const plan = planDeployment(deployment('1', 3), [set('a', '1', 3, 3, 1)]);
    expect(plan).toMatchObject({ create: undefined, scale: [], renumber: undefined, remove: [] });
  });

  it('[minicloud-7.12] never has more than surge above, nor fewer available than allowed, on the way to a new template', () => {
    const wanted = deployment('2', 4, { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } });
    let [oldSet, newSet] = [set('a', '1', 4, 4, 1), set('b', '2', 0, 0, 2)];
    for (let step = 0; step < 30; step += 1) {
      const plan = sizes(planDeployment(wanted, [oldSet, newSet]));
      if (Object.keys(plan).length === 0) break;
      const [less, more] = [plan['a'] ?? oldSet.spec.replicas!, plan['b'] ?? newSet.spec.replicas!];
      expect(less + more).toBeLessThanOrEqual(5);
      expect(Math.min(less, oldSet.status!.availableReplicas!) + Math.min(more, newSet.status!.availableReplicas!)).toBeGreaterThanOrEqual(3);
      // Of the new ones half become available before the next look.
      oldSet = set('a', '1', less, less, 1);
      newSet = set('b', '2', more, Math.ceil((more + newSet.status!.availableReplicas!) / 2), 2);
    }
    expect([oldSet.spec.replicas, newSet.spec.replicas]).toEqual([0, 4]);
  });

  it('[minicloud-7.13] gives up broken old pods first when a roll-out is stuck', () => {
    const plan = planDeployment(deployment('3', 2, { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }), [set('a', '1', 2, 2, 1), set('broken', '2', 1, 0, 2)]);
    expect(plan.create?.replicas).toBe(0);
    expect(sizes(plan)).toEqual({ broken: 0 });
  });

  it('[minicloud-7.14] goes back to an older set under a new revision, and forgets old empty sets', () => {
    const plan = planDeployment(deployment('1', 1, { revisionHistoryLimit: 1 }), [set('a', '1', 0, 0, 1), set('b', '2', 1, 1, 3), set('c', '3', 0, 0, 2), set('d', '4', 0, 0, 0)]);
    expect(plan.renumber).toMatchObject({ revision: 4, set: { metadata: { name: 'a' } } });
    expect(plan.remove.map((s) => s.metadata.name)).toEqual(['d']);
  });

  it('[minicloud-7.15] scales while paused, but does not move; recreates only when the old ones are gone', () => {
    expect(sizes(planDeployment(deployment('2', 5, { paused: true }), [set('a', '1', 3, 3, 1)]))).toEqual({ a: 5 });
    const recreate = { strategy: { type: 'Recreate' } };
    const first = planDeployment(deployment('2', 2, recreate), [set('a', '1', 2, 2, 1)]);
    expect([first.create?.replicas, sizes(first)]).toEqual([0, { a: 0 }]);
    const gone = { ...set('a', '1', 0, 0, 1), status: { replicas: 1 } };
    expect(sizes(planDeployment(deployment('2', 2, recreate), [gone, set('b', '2', 0, 0, 2)]))).toEqual({});
    expect(sizes(planDeployment(deployment('2', 2, recreate), [set('a', '1', 0, 0, 1), set('b', '2', 0, 0, 2)]))).toEqual({ b: 2 });
  });

  it('[minicloud-7.16] says when it is complete, and when it has made no progress for too long', () => {
    const sets = [set('a', '1', 2, 2, 1)];
    const done = deployment('1', 2);
    const status = deploymentStatus(done, sets, planDeployment(done, sets), NOW);
    expect(status).toMatchObject({ observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 2 });
    expect(status.conditions?.map((c) => `${c.type}=${c.status}/${c.reason}`)).toEqual(['Available=True/MinimumReplicasAvailable', 'Progressing=True/NewReplicaSetAvailable']);
    expect(status).not.toHaveProperty('unavailableReplicas');
    const stuckSets = [set('a', '1', 2, 0, 1)];
    const moving = { ...deployment('1', 2, { progressDeadlineSeconds: 60 }) };
    moving.status = deploymentStatus(moving, stuckSets, planDeployment(moving, stuckSets), NOW);
    expect(moving.status.conditions?.[1]?.reason).toBe('ReplicaSetUpdated');
    const late = deploymentStatus(moving, stuckSets, planDeployment(moving, stuckSets), NOW + 61_000);
    expect(late.conditions?.[1]).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
  });
});

describe('endpoints', () => {
  const service: StoredService = { apiVersion: 'v1', kind: 'Service', metadata: meta('s'), spec: { selector: { app: 'w' }, ports: [{ name: 'web', port: 80, targetPort: 'http' }] } };
  const behind = (name: string, ready: boolean, nodeName = 'n'): StoredPod =>
    pod(name, { meta: { labels: { app: 'w' } }, ready, spec: { nodeName, containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }] }, status: { podIP: `ip-${name}` } });

  it('[minicloud-7.17] hold ready pods on nodes that are heard of, by the name of the port', () => {
    const subsets = planEndpoints(service, [behind('a', true), behind('b', false), behind('c', true, 'silent'), pod('other', { ready: true, status: { podIP: 'x' } })], (name) => name === 'n');
    expect(subsets).toMatchObject([{ ports: [{ name: 'web', port: 8080, protocol: 'TCP' }], addresses: [{ ip: 'ip-a', nodeName: 'n' }], notReadyAddresses: [{ ip: 'ip-b' }, { ip: 'ip-c' }] }]);
    expect(planEndpoints({ ...service, spec: {} }, [], () => true)).toBeUndefined();
    expect(planEndpoints(service, [], () => true)).toEqual([]);
  });

  it('[minicloud-7.19] slices say the same: a hundred in each, families apart, with the names of pods', () => {
    const subsets = planEndpoints({ ...service, spec: { ...service.spec, ports: [] } }, [...Array.from({ length: 130 }, (_, index) => ({ ...behind(`p${index}`, true), status: { ...behind('p', true).status, podIP: `10.0.0.${index}` } })), behind('late', false)], () => true) ?? [];
    const six = { ...subsets[0], addresses: [...(subsets[0]?.addresses ?? []), { ip: 'fd00::1', targetRef: { kind: 'Pod' as const, namespace: 'd', name: 'six', uid: 'u' } }] };
    const slices = planSlices([six], (pod) => (pod === 'p7' ? 'web-7' : undefined));
    expect(slices.map(({ addressType, endpoints }) => `${addressType} ${endpoints.length}`)).toEqual(['IPv4 100', 'IPv4 31', 'IPv6 1']);
    expect(slices[1]?.endpoints.at(-1)).toMatchObject({ addresses: ['ip-late'], conditions: { ready: false } });
    expect(slices.flatMap(({ endpoints }) => endpoints).filter(({ hostname }) => hostname !== undefined)).toMatchObject([{ hostname: 'web-7', addresses: ['10.0.0.7'], conditions: { ready: true } }]);
  });
});
