import { describe, expect, it } from 'vitest';
import type { Pod, PodStatus } from '@edge/protocol';
import { actualOf, exited, NOW, run, sandbox, somePod } from '../../test/plan-kit.js';
import { nothingThere, type ActualPod } from './actual.js';
import { podStatus, type PodStatusInput } from './pod-status.js';
import { qosClass } from './qos.js';

const status = (pod: Pod, actual: ActualPod, over: Partial<PodStatusInput> = {}): PodStatus =>
  podStatus({ pod, actual, previous: pod.status ?? {}, waiting: new Map(), terminating: false, hostIPs: ['192.0.2.1'], runtime: 'r', now: NOW, ...over });
const down = sandbox(0, { state: 'notready' });
const conditions = (given: PodStatus): Record<string, string> =>
  Object.fromEntries((given.conditions ?? []).map(({ type, status: value, reason }) => [type, reason ? `${value} ${reason}` : value]));

describe('podStatus', () => {
  it.each<[string, NonNullable<Pod['spec']['restartPolicy']>, ActualPod, boolean, string]>([
    ['nothing there', 'Always', nothingThere('u'), false, 'Pending'],
    ['running', 'Always', actualOf([sandbox()], [run('c')]), false, 'Running'],
    ['crashed and about to be restarted', 'Always', actualOf([sandbox()], [exited('c', 0, 1)]), false, 'Running'],
    ['ended well, OnFailure', 'OnFailure', actualOf([down], [exited('c', 0, 0)]), false, 'Succeeded'],
    ['failed, OnFailure', 'OnFailure', actualOf([sandbox()], [exited('c', 0, 1)]), false, 'Running'],
    ['failed, Never', 'Never', actualOf([down], [exited('c', 0, 1)]), false, 'Failed'],
    ['deleted, still running', 'Always', actualOf([sandbox()], [run('c')]), true, 'Running'],
    ['deleted, ended well', 'Always', actualOf([down], [exited('c', 0, 0)]), true, 'Succeeded'],
    ['deleted, ended badly', 'Always', actualOf([down], [exited('c', 0, 143)]), true, 'Failed'],
    ['deleted before anything started', 'Always', nothingThere('u'), true, 'Failed'],
  ])('[edged-7.1] phase when %s', (_name, restartPolicy, actual, terminating, phase) => {
    expect(status(somePod({ restartPolicy }), actual, { terminating }).phase).toBe(phase);
  });

  it('[edged-7.2] a final phase never changes back', () => {
    expect(status(somePod({}, { phase: 'Succeeded' }), actualOf([sandbox()], [run('c')])).phase).toBe('Succeeded');
  });

  it('[edged-7.10] a verdict of the node shows its conditions at once, its reason and the phase Failed once nothing runs', () => {
    const verdict = { reason: 'Evicted', message: 'no memory', conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }] } as const;
    const during = status(somePod(), actualOf([sandbox()], [run('c')]), { verdict, terminating: true });
    expect([during.phase, during.reason]).toEqual(['Running', undefined]);
    expect(conditions(during)['DisruptionTarget']).toBe('True TerminationByKubelet');
    const after = status(somePod(), actualOf([down], [exited('c', 0, 0)]), { verdict, terminating: true, previous: during });
    expect(after).toMatchObject({ phase: 'Failed', reason: 'Evicted', message: 'no memory' });
    expect(after.conditions?.filter(({ type }) => type === 'DisruptionTarget')).toHaveLength(1);
    const never = status(somePod(), nothingThere('u'), { verdict: { reason: 'OutOfcpu', message: 'm' }, terminating: true });
    expect(never).toMatchObject({ phase: 'Failed', reason: 'OutOfcpu' });
  });

  it('[edged-7.3] init containers: not initialized until all are done, then never asked again', () => {
    const pod = somePod({ initContainers: [{ name: 'i1', image: 'i' }, { name: 'i2', image: 'i' }] });
    const first = status(pod, actualOf([sandbox()], [run('i1')]));
    expect(first.phase).toBe('Pending');
    expect(first.conditions?.find(({ type }) => type === 'Initialized')).toMatchObject({ status: 'False', message: 'containers with incomplete status: [i1 i2]' });
    expect(first.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'PodInitializing' } });
    const running = status(pod, actualOf([sandbox()], [exited('i1', 0, 0), exited('i2', 0, 0), run('c')]));
    expect(conditions(running)).toEqual({ PodReadyToStartContainers: 'True', Initialized: 'True', Ready: 'True', ContainersReady: 'True', PodScheduled: 'True' });
    expect(running.initContainerStatuses?.map(({ ready, state }) => [ready, state.terminated?.exitCode])).toEqual([[true, 0], [true, 0]]);
  });

  it('[edged-7.4] an ended pod is neither ready nor startable, with a reason that says how it ended', () => {
    const done = status(somePod({ restartPolicy: 'Never' }), actualOf([down], [exited('c', 0, 0)]));
    expect(conditions(done)).toEqual({
      PodReadyToStartContainers: 'False',
      Initialized: 'True PodCompleted',
      Ready: 'False PodCompleted',
      ContainersReady: 'False PodCompleted',
      PodScheduled: 'True',
    });
  });

  it('[edged-7.5] times of conditions move only with their status, and conditions of others stay', () => {
    const mine = { type: 'Ready', status: 'True' as const, lastProbeTime: null, lastTransitionTime: '2020-01-01T00:00:00Z' };
    const other = { type: 'example.com/gate', status: 'True' as const, lastTransitionTime: '2020-01-01T00:00:00Z' };
    const pod = somePod({}, { conditions: [mine, other] });
    const running = status(pod, actualOf([sandbox()], [run('c')]));
    expect(running.conditions?.find(({ type }) => type === 'Ready')).toEqual(mine);
    expect(running.conditions?.at(-1)).toEqual(other);
  });

  it('[edged-7.6] readiness gates that nobody opened keep a pod from being ready', () => {
    const pod = somePod({ readinessGates: [{ conditionType: 'example.com/gate' }] });
    expect(conditions(status(pod, actualOf([sandbox()], [run('c')])))['Ready']).toBe('False ReadinessGatesNotReady');
  });

  it('[edged-7.7] a container in back-off waits, with its last end beside', () => {
    const waiting = new Map([['c', { reason: 'CrashLoopBackOff', message: 'm' }]]);
    expect(status(somePod(), actualOf([sandbox()], [exited('c', 2, 9)]), { waiting }).containerStatuses?.[0]).toMatchObject({
      restartCount: 2,
      ready: false,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'm' } },
      lastState: { terminated: { exitCode: 9, containerID: 'r://c2' } },
    });
  });

  it('[edged-7.8] a container that vanished while running counts one restart and an end that nobody saw', () => {
    const before = status(somePod(), actualOf([sandbox()], [run('c', 1)]));
    expect(status(somePod({}, before), nothingThere('u')).containerStatuses?.[0]).toMatchObject({
      restartCount: 2,
      state: { waiting: { reason: 'ContainerCreating' } },
      lastState: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } },
    });
  });

  it('[edged-7.9] keeps start time and address of a pod that has stopped', () => {
    const before = status(somePod(), actualOf([sandbox()], [run('c')]), { now: NOW - 5000 });
    const after = status(somePod({}, before), actualOf([sandbox(0, { state: 'notready', ips: [] })], [exited('c', 0, 0)]));
    expect(after).toMatchObject({ startTime: before.startTime, podIP: '10.0.0.1', hostIP: '192.0.2.1' });
  });

  it('[edged-7.13] the same input gives the same status, and a status built on itself changes nothing', () => {
    const actual = actualOf([sandbox()], [run('c', 1), exited('c', 0, 1)]);
    const one = status(somePod(), actual);
    expect(status(somePod(), actual, { previous: one, now: NOW + 60_000 })).toEqual(one);
  });

  it('[edged-7.12] a pod whose work is done still runs while a sidecar does, and has its final phase when that has ended too', () => {
    const sidecar = { name: 'side', image: 'i', restartPolicy: 'Always' as const };
    const pod = somePod({ initContainers: [sidecar], restartPolicy: 'Never' });
    expect(status(pod, actualOf([sandbox()], [run('side', 0, { spec: sidecar }), exited('c', 0, 0)])).phase).toBe('Running');
    expect(status(pod, actualOf([down], [exited('side', 0, 143, { spec: sidecar }), exited('c', 0, 0)])).phase).toBe('Succeeded');
    expect(status(pod, actualOf([down], [exited('side', 0, 0, { spec: sidecar }), exited('c', 0, 1)])).phase).toBe('Failed');
  });

  it('[edged-7.11] quality of service follows from requests and limits', () => {
    const of = (resources: object): string => qosClass(somePod({ containers: [{ name: 'c', resources }] }));
    expect(of({})).toBe('BestEffort');
    expect(of({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } })).toBe('Guaranteed');
    expect(of({ requests: { cpu: '100m' } })).toBe('Burstable');
  });
});
