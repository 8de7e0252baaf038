import { describe, expect, it } from 'vitest';
import type { Pod } from '@edge/protocol';
import { NOW, somePod } from '../../test/plan-kit.js';
import { CALM, isResolved, lookAtPressure, type EvictionState, type Observations } from './plan-eviction.js';
import { evictionMessage, rankPods, type Candidate } from './rank-pods.js';
import { shutdownGroups, shutdownPeriods } from './shutdown-plan.js';
import { storageExcess } from './storage-limits.js';
import { parseThresholds, type EvictionSignal, type Threshold } from './thresholds.js';

const MI = 2n ** 20n;
const config = { evictionHard: {}, evictionSoft: {}, softGraceMs: {}, minimumReclaim: {}, watchAllocatable: false };
const seen = (numbers: Partial<Record<EvictionSignal, bigint>>, capacity = 1000n * MI): Observations =>
  new Map(Object.entries(numbers).map(([signal, available]) => [signal as EvictionSignal, { available, capacity }]));

describe('thresholds', () => {
  it('[edged-32.1] reads quantities and percentages, soft limits with their times, and what is to be freed beyond', () => {
    const found = parseThresholds({
      ...config,
      evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '10%', 'imagefs.available': '0%', 'containerfs.available': '1%' },
      evictionSoft: { 'memory.available': '300Mi' },
      softGraceMs: { 'memory.available': 90_000 },
      minimumReclaim: { 'memory.available': '50Mi' },
      watchAllocatable: true,
    });
    const reclaim = { amount: 50n * MI };
    expect(found).toEqual([
      { signal: 'memory.available', below: { amount: 100n * MI }, graceMs: 0, reclaim },
      { signal: 'nodefs.available', below: { share: 0.1 }, graceMs: 0 },
      { signal: 'memory.available', below: { amount: 300n * MI }, graceMs: 90_000, reclaim },
      { signal: 'allocatableMemory.available', below: { amount: 100n * MI }, graceMs: 0, reclaim },
    ]);
  });

  it.each([
    [{ evictionHard: { 'memory.free': '1Mi' } }, /evictionHard names "memory\.free"/],
    [{ evictionHard: { 'memory.available': '-5' } }, /evictionHard\["memory\.available"\] is "-5"/],
    [{ evictionHard: { 'memory.available': '120%' } }, /is "120%"/],
    [{ evictionSoft: { 'memory.available': '1Mi' } }, /evictionSoftGracePeriod has no memory\.available/],
  ])('[edged-32.2] names the key of what it cannot read: %j', (bad, text) => {
    expect(() => parseThresholds({ ...config, ...bad })).toThrow(text);
  });
});

describe('lookAtPressure', () => {
  const thresholds = parseThresholds({
    ...config,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '10%', 'pid.available': '10' },
    evictionSoft: { 'memory.available': '300Mi' },
    softGraceMs: { 'memory.available': 60_000 },
    minimumReclaim: { 'nodefs.available': '50Mi' },
  });
  const look = (observations: Observations, now: number, state: EvictionState = CALM) => lookAtPressure({ thresholds, transitionMs: 300_000, state, observations, now });
  const due = (found: { due: readonly Threshold[] }) => found.due.map(({ signal, graceMs }) => `${signal} ${graceMs}`);

  it('[edged-32.3] a hard limit counts at once, a soft one after its time, and the condition stays for the transition period', () => {
    const soft = look(seen({ 'memory.available': 200n * MI }), NOW);
    expect([[...soft.pressure], due(soft)]).toEqual([['MemoryPressure'], []]);
    const later = look(seen({ 'memory.available': 200n * MI }), NOW + 60_000, soft.state);
    expect(due(later)).toEqual(['memory.available 60000']);
    const again = look(seen({ 'memory.available': 400n * MI }), NOW + 70_000, later.state);
    expect([[...again.pressure], due(again)]).toEqual([['MemoryPressure'], []]);
    expect([...look(seen({ 'memory.available': 400n * MI }), NOW + 359_000, again.state).pressure]).toEqual(['MemoryPressure']);
    expect([...look(seen({ 'memory.available': 400n * MI }), NOW + 361_000, again.state).pressure]).toEqual([]);
    // An interruption starts the time of a soft limit anew.
    const interrupted = look(seen({ 'memory.available': 200n * MI }), NOW + 80_000, again.state);
    expect(due(interrupted)).toEqual([]);
    expect(due(look(seen({ 'memory.available': 50n * MI }), NOW))).toEqual(['memory.available 0']);
  });

  it('[edged-32.4] memory comes before disk, and a limit is resolved only with what is to be freed beyond it', () => {
    const both = look(seen({ 'nodefs.available': 90n * MI, 'memory.available': 50n * MI }), NOW);
    expect(due(both)).toEqual(['memory.available 0', 'nodefs.available 0']);
    const better = seen({ 'nodefs.available': 120n * MI });
    expect(due(look(better, NOW))).toEqual([]);
    expect(due(look(better, NOW + 10_000, both.state))).toEqual(['nodefs.available 0']);
    expect(isResolved(thresholds, better)).toBe(false);
    expect(isResolved(thresholds, seen({ 'nodefs.available': 160n * MI }))).toBe(true);
  });

  it('[edged-32.5] what the machine does not tell is no limit', () => {
    expect(look(new Map(), NOW)).toMatchObject({ due: [] });
    expect([...look(seen({ 'pid.available': 5n }, 100n), NOW).pressure]).toEqual(['PIDPressure']);
  });
});

describe('rankPods', () => {
  const pod = (name: string, memory: string, priority = 0): Pod =>
    somePod({ priority, containers: [{ name: 'c', resources: { requests: { memory } } }] }, {}, { name, uid: name });
  const using = (one: Pod, amount: bigint | undefined): Candidate => ({ pod: one, use: amount === undefined ? undefined : { total: amount, containers: new Map([['c', amount]]) } });
  const order = (signal: EvictionSignal, ...candidates: Candidate[]) => rankPods(signal, candidates).map(({ pod: { metadata } }) => metadata.name);

  it('[edged-32.6] first those beyond their request, then those of low priority, then those furthest beyond', () => {
    expect(
      order(
        'memory.available',
        using(pod('within', '100Mi'), 50n * MI),
        using(pod('within-more', '100Mi'), 90n * MI),
        using(pod('beyond-high', '10Mi', 100), 900n * MI),
        using(pod('beyond', '10Mi'), 20n * MI),
        using(pod('far-beyond', '100Mi'), 300n * MI),
        using(pod('unknown', '100Mi'), undefined),
      ),
    ).toEqual(['unknown', 'far-beyond', 'beyond', 'beyond-high', 'within-more', 'within']);
    expect(order('pid.available', using(pod('few', '0'), 1n), using(pod('many', '0'), 9n), using(pod('many-high', '0', 5), 99n))).toEqual(['many', 'few', 'many-high']);
  });

  it('[edged-32.7] says what was short, by how much, and which containers went beyond their request', () => {
    const threshold: Threshold = { signal: 'memory.available', below: { amount: 100n * MI }, graceMs: 0 };
    expect(evictionMessage(threshold, { available: 60n * MI, capacity: 1000n * MI }, using(pod('p', '10Mi'), 20n * MI))).toBe(
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 60Mi. Container c was using 20Mi, request is 10Mi, has larger consumption of memory. ',
    );
    expect(evictionMessage({ ...threshold, signal: 'nodefs.inodesFree', below: { share: 0.05 } }, { available: 3n, capacity: 100n }, using(pod('p', '0'), undefined))).toBe(
      'The node was low on resource: inodes. Threshold quantity: 5, available: 3. ',
    );
  });
});

describe('storageExcess', () => {
  it('[edged-32.8] a pod beyond the sum of its limits, or a container beyond its own', () => {
    const limited = somePod({ containers: [{ name: 'a', resources: { limits: { 'ephemeral-storage': '10Mi' } } }, { name: 'b', resources: { limits: { 'ephemeral-storage': '10Mi' } } }] });
    const use = (a: bigint, b: bigint, volumes = 0n) => ({ total: a + b + volumes, containers: new Map([['a', a], ['b', b]]) });
    expect(storageExcess(limited, use(9n * MI, 9n * MI))).toBeUndefined();
    expect(storageExcess(limited, use(11n * MI, 1n * MI))).toBe('Container a exceeded its local ephemeral storage limit "10Mi". ');
    expect(storageExcess(limited, use(9n * MI, 9n * MI, 9n * MI))).toBe('Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ');
    expect(storageExcess(somePod(), use(10n ** 12n, 0n))).toBeUndefined();
  });
});

describe('shutdown', () => {
  it('[edged-35.1] pods end in the order of their priority, critical ones with the time that is kept for them', () => {
    const periods = shutdownPeriods({ totalMs: 30_000, criticalMs: 10_000, byPriority: [] });
    expect(periods).toEqual([{ priority: 0, seconds: 20 }, { priority: 2_000_000_000, seconds: 10 }]);
    const pods = [somePod({ priority: 2_000_001_000 }, {}, { name: 'critical' }), somePod({}, {}, { name: 'usual' }), somePod({}, {}, { name: 'static', annotations: { 'kubernetes.io/config.source': 'file' } }), somePod({ priority: -5 }, {}, { name: 'low' })];
    expect(shutdownGroups(periods, pods).map((group) => [group.seconds, group.pods.map(({ metadata }) => metadata.name)])).toEqual([[20, ['usual', 'low']], [10, ['critical', 'static']]]);
    const own = shutdownPeriods({ totalMs: 5000, criticalMs: 0, byPriority: [{ priority: 100, shutdownGracePeriodSeconds: 7 }, { priority: 0, shutdownGracePeriodSeconds: 3 }] });
    expect(own).toEqual([{ priority: 0, seconds: 3 }, { priority: 100, seconds: 7 }]);
    expect(shutdownPeriods({ totalMs: 0, criticalMs: 0, byPriority: [] })).toEqual([]);
    expect(() => shutdownPeriods({ totalMs: 1000, criticalMs: 2000, byPriority: [] })).toThrow(/shutdownGracePeriodCriticalPods is longer/);
  });
});
