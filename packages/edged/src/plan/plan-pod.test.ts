import { describe, expect, it } from 'vitest';
import type { Container, Pod } from '@edge/protocol';
import { actualOf, exited, NOW, run, sandbox, somePod } from '../../test/plan-kit.js';
import { nothingThere, type ActualPod } from './actual.js';
import { planPod } from './plan-pod.js';
import { planRemoval, planStop } from './plan-stop.js';
import type { PodStep } from './steps.js';

const brief = (step: PodStep): string => {
  switch (step.do) {
    case 'startContainer':
      return `start ${step.container.name}#${step.restartCount}${step.backoffSeconds ? ` then ${step.backoffSeconds}s` : ''}`;
    case 'killContainers':
      return `kill ${step.containers.map(({ containerId, graceSeconds }) => `${containerId}:${graceSeconds}`).join(' ')}`;
    case 'createSandbox':
      return `sandbox#${step.attempt}`;
    case 'stopSandbox':
    case 'removeSandbox':
      return `${step.do} ${step.sandboxId}`;
    case 'removeContainer':
      return `remove ${step.containerId}`;
    default:
      return step.do;
  }
};
const plan = (pod: Pod, actual: ActualPod, now = NOW) => {
  const { steps, wakeAt, waiting } = planPod({ pod, actual, now });
  return { steps: steps.map(brief), ...(wakeAt === undefined ? {} : { wakeIn: wakeAt - now }), waiting: [...waiting.keys()] };
};
const steps = (pod: Pod, actual: ActualPod): string[] => plan(pod, actual).steps;
const init: Container = { name: 'i1', image: 'i' };
const init2: Container = { name: 'i2', image: 'i' };
const sidecar: Container = { name: 'side', image: 'i', restartPolicy: 'Always' };

describe('planPod', () => {
  it.each<[string, Pod, ActualPod]>([
    ['a running pod', somePod(), actualOf([sandbox()], [run('c')])],
    ['a running pod with one dead predecessor', somePod(), actualOf([sandbox()], [run('c', 1), exited('c', 0, 1)])],
    ['a finished pod', somePod({ restartPolicy: 'Never' }), actualOf([sandbox(0, { state: 'notready' })], [exited('c', 0, 0)])],
    ['a succeeded OnFailure pod', somePod({ restartPolicy: 'OnFailure' }), actualOf([sandbox(0, { state: 'notready' })], [exited('c', 0, 0)])],
    ['a pod whose final phase was reported, although the runtime has lost it', somePod({}, { phase: 'Failed' }), nothingThere('u')],
    ['a pod on the host network', somePod({ hostNetwork: true }), actualOf([sandbox(0, { hostNetwork: true, ips: [] })], [run('c')])],
    ['init done and running', somePod({ initContainers: [init] }), actualOf([sandbox()], [exited('i1', 0, 0), run('c')])],
    ['a container started by another agent without a hash', somePod(), actualOf([sandbox()], [{ ...run('c'), annotations: {} }])],
  ])('[edged-6.1] has nothing to do for %s', (_name, pod, actual) => {
    expect(plan(pod, actual)).toEqual({ steps: [], waiting: [] });
  });

  it.each<[string, Pod, ActualPod, string[]]>([
    ['a new pod', somePod(), nothingThere('u'), ['prepareVolumes', 'sandbox#0', 'start c#0']],
    ['an agent that ended after making the sandbox', somePod(), actualOf([sandbox()], []), ['prepareVolumes', 'start c#0']],
    ['an agent that ended after creating the container', somePod(), actualOf([sandbox()], [run('c', 0, { state: 'created' })]), ['prepareVolumes', 'remove c0', 'start c#0']],
    ['a reboot', somePod(), actualOf([sandbox(0, { state: 'notready' })], [exited('c', 0, 137)]), ['prepareVolumes', 'sandbox#1', 'start c#1 then 10s']],
    ['a first crash', somePod(), actualOf([sandbox()], [exited('c', 0, 1)]), ['prepareVolumes', 'start c#1 then 10s']],
    ['an OnFailure container that failed', somePod({ restartPolicy: 'OnFailure' }), actualOf([sandbox()], [exited('c', 0, 1)]), ['prepareVolumes', 'start c#1 then 10s']],
    ['a Never container that failed', somePod({ restartPolicy: 'Never' }), actualOf([sandbox()], [exited('c', 0, 1)]), ['stopSandbox s0']],
    ['another image', somePod({ containers: [{ name: 'c', image: 'new' }] }), actualOf([sandbox()], [run('c')]), ['kill c0:30', 'prepareVolumes', 'start c#1 then 10s']],
    ['an unknown state', somePod(), actualOf([sandbox()], [run('c', 0, { state: 'unknown' })]), ['kill c0:30', 'prepareVolumes', 'start c#1 then 10s']],
    ['two working sandboxes, of which it cannot tell the right one', somePod(), actualOf([sandbox(0), sandbox(1)], [run('c')]), ['kill c0:30', 'stopSandbox s1', 'stopSandbox s0']],
    [
      'a reboot during the init containers of a Never pod',
      somePod({ initContainers: [init, init2], restartPolicy: 'Never' }),
      actualOf([sandbox(0, { state: 'notready' })], [exited('i1', 0, 0)]),
      ['prepareVolumes', 'sandbox#1', 'start i1#1'],
    ],
    ['a sandbox without address', somePod(), actualOf([sandbox(0, { ips: [] })], []), ['stopSandbox s0', 'prepareVolumes', 'sandbox#1', 'start c#0']],
    ['old dead containers', somePod(), actualOf([sandbox()], [run('c', 3), exited('c', 2, 1), exited('c', 1, 1), exited('c', 0, 1)]), ['remove c1', 'remove c0']],
    [
      'an old sandbox that holds nothing any more',
      somePod(),
      actualOf([sandbox(0, { state: 'notready' }), sandbox(1)], [run('c', 1, { sandboxId: 's1' })]),
      ['removeSandbox s0'],
    ],
    ['runs that the runtime lost but the status remembers', somePod({}, { containerStatuses: [lost(4)] }), nothingThere('u'), ['prepareVolumes', 'sandbox#0', 'start c#5']],
  ])('[edged-6.2] after %s', (_name, pod, actual, expected) => {
    expect(steps(pod, actual)).toEqual(expected);
  });

  it.each<[string, ActualPod, string[]]>([
    ['starts with the first', nothingThere('u'), ['prepareVolumes', 'sandbox#0', 'start i1#0']],
    ['waits for it', actualOf([sandbox()], [run('i1')]), []],
    ['goes on with the second', actualOf([sandbox()], [exited('i1', 0, 0)]), ['prepareVolumes', 'start i2#0']],
    ['does not need the first any more when the second has run', actualOf([sandbox()], [exited('i2', 0, 0)]), ['prepareVolumes', 'start c#0']],
    ['repeats a failed one', actualOf([sandbox()], [exited('i1', 0, 1)]), ['prepareVolumes', 'start i1#1 then 10s']],
    ['begins again in a new sandbox', actualOf([sandbox(0, { state: 'notready' })], [exited('i1', 0, 0), exited('i2', 0, 0), exited('c', 0, 1)]), ['prepareVolumes', 'sandbox#1', 'start i1#1']],
  ])('[edged-6.3] init containers: %s', (_name, actual, expected) => {
    expect(steps(somePod({ initContainers: [init, init2] }), actual)).toEqual(expected);
  });

  it('[edged-6.4] a failed init container ends a Never pod', () => {
    expect(steps(somePod({ initContainers: [init], restartPolicy: 'Never' }), actualOf([sandbox()], [exited('i1', 0, 1)]))).toEqual(['stopSandbox s0']);
  });

  it('[edged-6.5] a sidecar is started before, kept beside, restarted always and does not keep the pod alive', () => {
    const pod = somePod({ initContainers: [sidecar], restartPolicy: 'OnFailure' });
    expect(steps(pod, nothingThere('u'))).toEqual(['prepareVolumes', 'sandbox#0', 'start side#0']);
    expect(steps(pod, actualOf([sandbox()], [run('side', 0, { spec: sidecar })]))).toEqual(['prepareVolumes', 'start c#0']);
    expect(steps(pod, actualOf([sandbox()], [exited('side', 0, 0), run('c')]))).toEqual(['prepareVolumes', 'start side#1 then 10s']);
    expect(steps(pod, actualOf([sandbox()], [run('side', 0, { spec: sidecar }), exited('c', 0, 0)]))).toEqual(['kill side0:30', 'stopSandbox s0']);
  });

  it('[edged-6.6] one crashing container does not disturb the others', () => {
    const pod = somePod({ containers: [{ name: 'a', image: 'i' }, { name: 'b', image: 'i' }] });
    expect(plan(pod, actualOf([sandbox()], [run('a'), exited('b', 2, 1, { backoff: 20 })]))).toEqual({ steps: [], wakeIn: 19_000, waiting: ['b'] });
  });

  it.each([
    [1, { backoff: 10 }, 9000, 20],
    [2, { backoff: 20 }, 19_000, 40],
    [9, { backoff: 300 }, 299_000, 300],
    // Started by an agent that keeps the pauses in its memory.
    [3, {}, 39_000, 80],
  ])('[edged-6.7] back-off: restart %i with %o waits %i ms, then the next one %i s', (attempt, over, wakeIn, next) => {
    const actual = actualOf([sandbox()], [exited('c', attempt, 1, over)]);
    expect(plan(somePod(), actual)).toEqual({ steps: [], wakeIn, waiting: ['c'] });
    expect(plan(somePod(), actual, NOW + wakeIn).steps).toEqual(['prepareVolumes', `start c#${attempt + 1} then ${next}s`]);
  });

  it('[edged-6.8] a run of more than ten minutes starts the back-off anew', () => {
    const actual = actualOf([sandbox()], [exited('c', 5, 1, { backoff: 300, createdAt: NOW - 700_000 })]);
    expect(steps(somePod(), actual)).toEqual(['prepareVolumes', 'start c#6 then 10s']);
  });

  it('[edged-6.15] another image ends the pause and starts the back-off anew', () => {
    const actual = actualOf([sandbox()], [exited('c', 5, 1, { backoff: 300 })]);
    expect(steps(somePod({ containers: [{ name: 'c', image: 'new' }] }), actual)).toEqual(['prepareVolumes', 'start c#6 then 10s']);
  });

  it('[edged-6.9] the plan of a pod that has just been brought to its state is empty, whatever the policy', () => {
    for (const restartPolicy of ['Always', 'OnFailure', 'Never'] as const) {
      const pod = somePod({ restartPolicy });
      expect(steps(pod, nothingThere('u'))).toEqual(['prepareVolumes', 'sandbox#0', 'start c#0']);
      expect(steps(pod, actualOf([sandbox()], [run('c')]))).toEqual([]);
    }
  });
});

describe('planStop', () => {
  it('[edged-6.10] ends regular containers side by side, then sidecars from the last to the first, then the sandbox', () => {
    const two = { ...sidecar, name: 'side2' };
    const pod = somePod({ initContainers: [sidecar, two], containers: [{ name: 'a' }, { name: 'b' }] });
    const actual = actualOf([sandbox()], ['side', 'side2', 'a', 'b'].map((name) => run(name)));
    const { steps } = planStop(pod, actual);
    expect(steps.map(brief)).toEqual(['kill a0:30 b0:30 side20:30 side0:30', 'stopSandbox s0']);
    const waitsFor = (steps[0]?.do === 'killContainers' ? steps[0].containers : []).map(({ containerId, after = [] }) => `${containerId} < ${[...after].sort().join(' ')}`);
    expect(waitsFor).toEqual(['a0 < ', 'b0 < ', 'side20 < a0 b0', 'side0 < a0 b0 side20']);
  });

  it('[edged-6.11] gives what the deletion asks for, and to unknown pods what their containers recorded', () => {
    const actual = actualOf([sandbox()], [run('c', 0, { grace: 12 })]);
    const grace = (pod: Pod | undefined): string | undefined => planStop(pod, actual).steps.map(brief)[0];
    expect(grace(somePod({}, {}, { deletionGracePeriodSeconds: 5 }))).toBe('kill c0:5');
    expect(grace(somePod({}, {}, { deletionGracePeriodSeconds: 0 }))).toBe('kill c0:0');
    expect(grace(undefined)).toBe('kill c0:12');
  });

  it('[edged-6.12] removal takes sandboxes with all their containers, and containers that have lost theirs', () => {
    const actual = actualOf([sandbox(0, { state: 'notready' })], [exited('c', 0, 0), exited('x', 0, 0, { sandboxId: 'other' })]);
    expect(planRemoval(actual).map(brief)).toEqual(['remove x0', 'removeSandbox s0']);
  });
});

function lost(restartCount: number): NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number] {
  return { name: 'c', state: {}, lastState: {}, ready: false, restartCount, image: 'i', imageID: '', containerID: 'x://gone' };
}
