import { describe, expect, it } from 'vitest';
import type { NodeSelectorRequirement, Pod, Taint } from '@edge/protocol';
import { somePod } from '../../test/plan-kit.js';
import { admitPod, type AdmitInput, type NodeView } from './admit-pod.js';
import { fitsNode } from './node-affinity.js';
import { planPreemption } from './preempt.js';
import { podRequests } from '../plan/pod-resources.js';
import { tolerates } from './taints.js';

const node: NodeView = {
  name: 'edge-1',
  operatingSystem: 'linux',
  labels: { zone: 'a', cores: '8', 'kubernetes.io/os': 'linux' },
  taints: [],
  allocatable: { cpu: '2', memory: '1Gi', 'ephemeral-storage': '10Gi', pods: '3', 'hugepages-2Mi': '4Mi', 'vendor.example/gpu': '1' },
};
const asking = (requests: Record<string, string>, name = 'p', spec: Partial<Pod['spec']> = {}): Pod =>
  somePod({ containers: [{ name: 'c', image: 'i', resources: { requests } }], ...spec }, {}, { name, uid: `uid-${name}` });
const admit = (pod: Pod, others: readonly Pod[] = [], over: Partial<AdmitInput> = {}) => admitPod({ pod, node, others, pressure: new Set(), ...over });
const reason = (pod: Pod, others: readonly Pod[] = [], over: Partial<AdmitInput> = {}): string | undefined => admit(pod, others, over)?.reason;

describe('admitPod', () => {
  it('[edged-31.1] turns away what does not fit, and says how much was asked for, is used and is there', () => {
    const others = [asking({ cpu: '1500m', memory: '512Mi' }, 'other')];
    expect(admit(asking({ cpu: '500m', memory: '512Mi' }), others)).toBeUndefined();
    expect(admit(asking({ cpu: '501m' }), others)).toMatchObject({
      reason: 'OutOfcpu',
      message: "Node didn't have enough resource: cpu, requested: 501, used: 1500, capacity: 2000",
    });
    expect(admit(asking({ memory: '513Mi' }), others)).toMatchObject({
      reason: 'OutOfmemory',
      message: "Node didn't have enough resource: memory, requested: 537919488, used: 536870912, capacity: 1073741824",
    });
    expect(reason(asking({ 'ephemeral-storage': '11Gi' }))).toBe('OutOfephemeral-storage');
    expect(reason(asking({ 'hugepages-2Mi': '6Mi' }))).toBe('OutOfhugepages-2Mi');
    expect(reason(asking({ 'vendor.example/gpu': '2' }))).toBe('OutOfvendor.example/gpu');
    expect(reason(asking({ 'vendor.example/elsewhere': '2' }))).toBeUndefined();
    expect(admit(asking({}), [asking({}, 'a'), asking({}, 'b'), asking({}, 'c')])?.message).toContain('pods, requested: 1, used: 3, capacity: 3');
  });

  it('[edged-31.2] counts init containers, sidecars and the overhead of a pod as they run', () => {
    const requests = (cpu: string) => ({ resources: { requests: { cpu } } });
    const pod = somePod({
      initContainers: [
        { name: 'first', ...requests('900m') },
        { name: 'side', restartPolicy: 'Always', ...requests('200m') },
        { name: 'last', ...requests('800m') },
      ],
      containers: [{ name: 'a', ...requests('300m') }, { name: 'b', resources: { limits: { cpu: '100m' } } }],
      overhead: { cpu: '50m' },
    });
    expect(podRequests(pod).get('cpu')).toBe(1050n);
  });

  it('[edged-31.3] knows every operator of node selectors and affinities', () => {
    const term = (...matchExpressions: NodeSelectorRequirement[]) =>
      somePod({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } } } });
    const fits = (key: string, operator: string, ...values: string[]) => fitsNode(term({ key, operator, values }), node.name, node.labels);
    expect([fits('zone', 'In', 'a', 'b'), fits('zone', 'In', 'b'), fits('none', 'In', 'b')]).toEqual([true, false, false]);
    expect([fits('zone', 'NotIn', 'b'), fits('zone', 'NotIn', 'a'), fits('none', 'NotIn', 'a')]).toEqual([true, false, true]);
    expect([fits('zone', 'Exists'), fits('none', 'Exists'), fits('none', 'DoesNotExist'), fits('zone', 'DoesNotExist')]).toEqual([true, false, true, false]);
    expect([fits('cores', 'Gt', '7'), fits('cores', 'Gt', '8'), fits('cores', 'Lt', '9'), fits('zone', 'Lt', '9'), fits('zone', 'Near', 'a')]).toEqual([true, false, true, false, false]);
    expect(fitsNode(somePod({ nodeSelector: { zone: 'b' } }), node.name, node.labels)).toBe(false);
    const byName = (name: string) =>
      somePod({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{}, { matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }] } } } });
    expect([fitsNode(byName('edge-1'), node.name, {}), fitsNode(byName('edge-2'), node.name, {})]).toEqual([true, false]);
    expect(reason(somePod({ nodeSelector: { zone: 'b' } }))).toBe('NodeAffinity');
  });

  it('[edged-31.4] turns away pods of another system, without a toleration for a NoExecute taint, and for a taken port', () => {
    expect(reason(somePod({ os: { name: 'windows' } }))).toBe('PodOSNotSupported');
    expect(reason(somePod({}, {}, { labels: { 'kubernetes.io/os': 'windows' } }))).toBe('PodOSSelectorNodeLabelDoesNotMatch');
    const taints: Taint[] = [{ key: 'soft', effect: 'NoSchedule' }, { key: 'hard', value: 'v', effect: 'NoExecute' }];
    const tainted = { node: { ...node, taints } };
    expect(reason(somePod(), [], tainted)).toBe('TaintToleration');
    for (const toleration of [{ operator: 'Exists' }, { key: 'hard', value: 'v' }, { key: 'hard', operator: 'Exists', effect: 'NoExecute' }]) {
      expect(reason(somePod({ tolerations: [toleration] }), [], tainted)).toBeUndefined();
    }
    for (const toleration of [{ key: 'hard' }, { key: 'hard', operator: 'Exists', effect: 'NoSchedule' }, { key: 'soft', operator: 'Exists' }, {}]) {
      expect(tolerates([toleration], taints[1] as Taint)).toBe(false);
    }
    expect(reason(somePod({}, {}, { annotations: { 'kubernetes.io/config.source': 'file' } }), [], tainted)).toBeUndefined();
    const port = (hostPort: number, hostIP?: string, protocol?: string) =>
      somePod({ containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort, ...(hostIP ? { hostIP } : {}), ...(protocol ? { protocol } : {}) }] }] });
    expect(reason(port(8080), [port(8080)])).toBe('NodePorts');
    expect(reason(port(8080, '127.0.0.1'), [port(8080)])).toBe('NodePorts');
    expect(reason(port(8080, '127.0.0.1'), [port(8080, '127.0.0.2')])).toBeUndefined();
    expect(reason(port(8080, undefined, 'UDP'), [port(8080)])).toBeUndefined();
  });

  it('[edged-31.5] under pressure of memory only pods that asked for nothing are turned away, under other pressure all but critical ones', () => {
    const memory = { pressure: new Set(['MemoryPressure'] as const) };
    const disk = { pressure: new Set(['DiskPressure'] as const) };
    expect(admit(asking({}), [], memory)).toMatchObject({ reason: 'Evicted', message: 'The node had condition: [MemoryPressure]. ' });
    expect(reason(asking({ memory: '1Mi' }), [], memory)).toBeUndefined();
    expect(reason(asking({}, 'p', { tolerations: [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists' }] }), [], memory)).toBeUndefined();
    expect(reason(asking({ memory: '1Mi' }), [], disk)).toBe('Evicted');
    expect(reason(asking({}, 'p', { priority: 2_000_000_000 }), [], disk)).toBeUndefined();
  });
});

describe('planPreemption', () => {
  const critical = asking({ cpu: '1' }, 'critical', { priority: 2_000_001_000 });
  const guaranteed = (name: string, cpu: string): Pod =>
    somePod({ containers: [{ name: 'c', resources: { limits: { cpu, memory: '1Mi' }, requests: { cpu, memory: '1Mi' } } }] }, {}, { name, uid: name });
  const names = (pods: Pod[] | undefined) => pods?.map(({ metadata }) => metadata.name).sort();
  const short = (cpu: bigint) => new Map([['cpu', cpu]]);

  it('[edged-31.6] ends as few pods as possible of the least protected class that is enough, never its equals', () => {
    const others = [asking({}, 'nothing'), asking({ cpu: '300m' }, 'small'), asking({ cpu: '900m' }, 'big'), guaranteed('safe', '1'), asking({ cpu: '4' }, 'peer', { priority: 2_000_001_000 })];
    expect(names(planPreemption(critical, others, short(200n)))).toEqual(['small']);
    expect(names(planPreemption(critical, others, short(800n)))).toEqual(['big']);
    expect(names(planPreemption(critical, others, short(1200n)))).toEqual(['big', 'small']);
    expect(names(planPreemption(critical, others, short(1900n)))).toEqual(['big', 'safe']);
    expect(planPreemption(critical, others, short(9000n))).toBeUndefined();
    expect(names(planPreemption(critical, others, new Map([['pods', 1000n]])))).toEqual(['nothing']);
  });
});
