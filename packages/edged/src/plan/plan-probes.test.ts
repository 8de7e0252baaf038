import type { RuntimeContainerStatus } from '@edge/core';
import type { Container, Pod } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { actualOf, exited, NOW, run, sandbox, somePod } from '../../test/plan-kit.js';
import { noProbes, type ProbeFailure, type ProbeView } from '../probes/view.js';
import type { ActualPod } from './actual.js';
import { ContainerAnnotations } from './identity.js';
import { planPod } from './plan-pod.js';
import { planStop } from './plan-stop.js';
import { podStatus } from './pod-status.js';
import type { ContainerKill, PodStep } from './steps.js';

const failing = (id: string, failure: ProbeFailure = { why: 'failed liveness probe' }): ProbeView => ({ ...noProbes, failed: (one) => (one.id === id ? failure : undefined) });
const without = (...ids: string[]): ProbeView => ({
  failed: () => undefined,
  started: (one) => one.state === 'running' && !ids.includes(one.id),
  ready: (one) => one.state === 'running' && !ids.includes(one.id),
});
const steps = (pod: Pod, actual: ActualPod, probes: ProbeView = noProbes): PodStep[] => [...planPod({ pod, actual, now: NOW, probes }).steps];
const kills = (pod: Pod, actual: ActualPod, probes?: ProbeView): ContainerKill[] => steps(pod, actual, probes).flatMap((step) => (step.do === 'killContainers' ? step.containers : []));
const starts = (pod: Pod, actual: ActualPod, probes?: ProbeView): string[] => steps(pod, actual, probes).flatMap((step) => (step.do === 'startContainer' ? [step.container.name] : []));
const one = (...containers: RuntimeContainerStatus[]): ActualPod => actualOf([sandbox()], containers);

describe('what probes make of a plan', () => {
  it.each([
    ['Always', 'will be restarted'],
    ['OnFailure', 'will be restarted'],
    ['Never', 'Container c failed liveness probe'],
  ] as const)('[edged-20.10] with %s a container that failed its liveness probe is ended, and nothing else in the same plan', (restartPolicy, text) => {
    const pod = somePod({ restartPolicy, containers: [{ name: 'c', image: 'i' }, { name: 'd', image: 'i' }] });
    const plan = steps(pod, one(run('c'), run('d')), failing('c0'));
    expect(plan.map((step) => step.do)).toEqual(['killContainers']);
    expect(plan[0]).toMatchObject({ containers: [{ containerId: 'c0', why: expect.stringContaining(text) as string }] });
  });

  it('[edged-20.11] once it has ended it is started anew unless the policy is Never, even when it ended with success', () => {
    const ended = one(exited('c', 0, 0));
    expect(starts(somePod({ restartPolicy: 'OnFailure' }), ended, failing('c0'))).toEqual(['c']);
    expect(starts(somePod({ restartPolicy: 'OnFailure' }), ended)).toEqual([]);
    expect(starts(somePod({ restartPolicy: 'Never' }), ended, failing('c0'))).toEqual([]);
  });

  it('[edged-20.12] the grace is the deletion’s, else the probe’s, else the pod’s', () => {
    const slow = failing('c0', { why: 'failed startup probe', graceSeconds: 5 });
    const grace = (pod: Pod, view: ProbeView): number | undefined => kills(pod, one(run('c')), view)[0]?.graceSeconds;
    expect(grace(somePod(), failing('c0'))).toBe(30);
    expect(grace(somePod(), slow)).toBe(5);
    expect(grace(somePod({}, {}, { deletionGracePeriodSeconds: 7 }), slow)).toBe(7);
  });

  it('[edged-20.13] what comes after a sidecar waits until that has started; what has come already does not', () => {
    const sidecar: Container = { name: 'side', image: 'i', restartPolicy: 'Always' };
    const pod = somePod({ initContainers: [sidecar, { name: 'init', image: 'i' }] });
    expect(starts(pod, one(run('side')), without('side0'))).toEqual([]);
    expect(starts(pod, one(run('side')))).toEqual(['init']);
    expect(starts(pod, one(run('side', 1), exited('init', 0, 0)), without('side1'))).toEqual(['c']);
    // A sidecar that crashed again and has to wait holds up nobody either.
    expect(starts(pod, one(exited('side', 3, 1, { backoff: 40 }), exited('init', 0, 0)))).toEqual(['c']);
  });

  it('[edged-20.14] a sidecar that fails a probe is restarted whatever the pod’s policy', () => {
    const sidecar: Container = { name: 'side', image: 'i', restartPolicy: 'Always' };
    const pod = somePod({ restartPolicy: 'Never', initContainers: [sidecar] });
    expect(kills(pod, one(run('side'), run('c')), failing('side0'))).toMatchObject([{ containerId: 'side0', fieldPath: 'spec.initContainers{side}' }]);
    expect(starts(pod, one(exited('side', 0, 0), run('c')), failing('side0'))).toEqual(['side']);
  });
});

describe('what probes make of a status', () => {
  const status = (pod: Pod, actual: ActualPod, probes: ProbeView) =>
    podStatus({ pod, actual, probes, previous: {}, waiting: new Map(), terminating: false, hostIPs: [], runtime: 'x', now: NOW });

  it('[edged-20.15] a running container is ready and started when the probes say so', () => {
    const pod = somePod();
    const not = status(pod, one(run('c')), without('c0'));
    expect(not.containerStatuses?.[0]).toMatchObject({ ready: false, started: false, state: { running: {} } });
    expect(not.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'False', reason: 'ContainersNotReady' });
    expect(status(pod, one(run('c')), noProbes).containerStatuses?.[0]).toMatchObject({ ready: true, started: true });
  });

  it('[edged-20.16] a sidecar that has not started keeps the pod Pending and not initialized', () => {
    const pod = somePod({ initContainers: [{ name: 'side', image: 'i', restartPolicy: 'Always' }] });
    const pending = status(pod, one(run('side')), without('side0'));
    expect(pending.phase).toBe('Pending');
    expect(pending.conditions?.find(({ type }) => type === 'Initialized')?.status).toBe('False');
    expect(status(pod, one(run('side'), run('c')), noProbes)).toMatchObject({ phase: 'Running', initContainerStatuses: [{ ready: true, started: true }] });
  });
});

describe('hooks in plans', () => {
  const preStop = { exec: { command: ['bye'] } };

  it('[edged-21.1] the preStop hook is the spec’s; of a pod that nobody knows it is the one written down with the container', () => {
    const pod = somePod({ containers: [{ name: 'c', image: 'i', lifecycle: { preStop }, ports: [{ name: 'web', containerPort: 80 }] }] });
    const stop = (known: Pod | undefined, container: RuntimeContainerStatus): unknown => planStop(known, one(container)).steps[0];
    expect(stop(pod, run('c'))).toMatchObject({ containers: [{ preStop, ports: [{ name: 'web' }] }] });
    const recorded = run('c');
    const annotations = { ...recorded.annotations, [ContainerAnnotations.preStop]: JSON.stringify(preStop) };
    expect(stop(undefined, { ...recorded, annotations })).toMatchObject({ containers: [{ preStop }] });
    expect(stop(undefined, { ...recorded, annotations: { [ContainerAnnotations.preStop]: '{' } })).not.toHaveProperty('containers.0.preStop');
  });
});

describe('ephemeral containers', () => {
  const debug = (over: object = {}): Pod => somePod({ restartPolicy: 'Never', ephemeralContainers: [{ name: 'debug', image: 'i', ...over }] });
  const start = (pod: Pod, actual: ActualPod): PodStep | undefined => steps(pod, actual).find((step) => step.do === 'startContainer');

  it('[edged-22.1] one that has never run is started in the pod that works, and sees the processes of the container it names', () => {
    expect(start(debug({ targetContainerName: 'c' }), one(run('c')))).toMatchObject({ container: { name: 'debug' }, ephemeral: { targetId: 'c0' } });
    expect(start(debug({ targetContainerName: 'x' }), one(run('c')))).toMatchObject({ ephemeral: { missing: 'x' } });
  });

  it('[edged-22.2] it is never started again, also when the runtime has lost it', () => {
    expect(steps(debug(), one(run('c'), exited('debug', 0, 1)))).toEqual([]);
    expect(steps(debug(), one(run('c'), run('debug')))).toEqual([]);
    const lost = { ...debug(), status: { ephemeralContainerStatuses: [{ name: 'debug', state: { running: { startedAt: '' } }, lastState: {}, ready: false, restartCount: 0, image: '', imageID: '', containerID: 'x://gone' }] } };
    expect(steps(lost, one(run('c')))).toEqual([]);
  });

  it('[edged-22.3] it starts beside init containers and does not keep a pod alive', () => {
    const waiting = { ...debug(), spec: { ...debug().spec, initContainers: [{ name: 'init', image: 'i' }] } };
    expect(starts(waiting, one(run('init')))).toEqual(['debug']);
    expect(kills(debug(), one(exited('c', 0, 0), run('debug')))).toMatchObject([{ containerId: 'debug0', fieldPath: 'spec.ephemeralContainers{debug}' }]);
  });

  it('[edged-22.4] it has a status of its own, which makes no pod ready, pending or failed', () => {
    const status = podStatus({ pod: debug(), actual: one(run('c'), exited('debug', 0, 3)), previous: {}, waiting: new Map(), terminating: false, hostIPs: [], runtime: 'x', now: NOW });
    expect(status.phase).toBe('Running');
    expect(status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
    expect(status.ephemeralContainerStatuses).toMatchObject([{ name: 'debug', ready: false, state: { terminated: { exitCode: 3 } } }]);
    expect(status.ephemeralContainerStatuses?.[0]).not.toHaveProperty('started');
  });
});
