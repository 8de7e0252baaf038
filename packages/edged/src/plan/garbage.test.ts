import type { RuntimeContainer } from '@edge/core';
import { describe, expect, it } from 'vitest';
import { actualOf, exited, NOW, run, sandbox, somePod } from '../../test/plan-kit.js';
import { collectGarbage, shareOfDead } from './garbage.js';
import { planPod } from './plan-pod.js';

describe('what is left of dead containers', () => {
  const rules = { keepDead: 1, minAgeMs: 0 };
  const ids = (actual: Parameters<typeof collectGarbage>[0], more = {}, now = Date.now()): string[] =>
    collectGarbage(actual, { ...rules, ...more }, now).steps.flatMap((step) => (step.do === 'removeContainer' ? [step.containerId] : []));

  it('[edged-24.50] so many of each name stay as configured, the newest; running ones are never touched', () => {
    const actual = actualOf([sandbox()], [run('c', 3), exited('c', 2, 1), exited('c', 1, 1), exited('c', 0, 1), exited('d', 0, 0)]);
    const dead = actual.containers.filter(({ metadata, state }) => metadata.name === 'c' && state === 'exited').map(({ id }) => id);
    expect(ids(actual)).toEqual(dead.slice(1));
    expect(ids(actual, { keepDead: 2 })).toEqual(dead.slice(2));
    expect(ids(actual, { keepDead: Number.POSITIVE_INFINITY })).toEqual([]);
  });

  it('[edged-24.51] what has ended just now stays for minimumGCAge, and the pod is looked at again then', () => {
    const old = { ...exited('c', 0, 1), finishedAt: 1_000 };
    const actual = actualOf([sandbox()], [run('c', 3), exited('c', 2, 1), { ...exited('c', 1, 1), finishedAt: 5_000 }, old]);
    expect(ids(actual, { minAgeMs: 3_000 }, 6_000)).toEqual([old.id]);
    expect(collectGarbage(actual, { ...rules, minAgeMs: 3_000 }, 6_000).wakeAt).toBe(8_000);
    expect(ids(actual, { minAgeMs: 3_000 }, 8_000)).toHaveLength(2);
  });

  it('[edged-24.52] a log goes with its container, unless another run writes to the same file', () => {
    const actual = actualOf([sandbox()], [run('c', 3), exited('c', 2, 1), { ...exited('c', 1, 1), logPath: '/l/1.log' }, { ...exited('c', 0, 1), logPath: run('c', 3).logPath }]);
    expect(collectGarbage(actual, rules, 0).steps).toEqual([
      expect.objectContaining({ logPath: '/l/1.log' }),
      expect.not.objectContaining({ logPath: expect.anything() as string }),
    ]);
  });

  it('[edged-24.53] maxContainerCount is shared by all names; each keeps the run that ended last', () => {
    const dead = (name: string): RuntimeContainer => ({ ...exited(name, 0, 1) });
    const pods = [[dead('a'), dead('a'), dead('b')], [dead('a'), run('x')]];
    const share = (onNode: number, keepDead = 5): number => shareOfDead({ keepDead, minAgeMs: 0 }, onNode, pods).keepDead;
    expect([share(6), share(12), share(30), share(0), share(Number.POSITIVE_INFINITY)]).toEqual([2, 4, 5, 1, 5]);
  });

  it('[edged-24.54] a run that ended in the future does not hold up the next one: the clock has been set back', () => {
    const ended = (finishedAt: number) => planPod({ pod: somePod(), actual: actualOf([sandbox()], [exited('c', 4, 1, { backoff: 80, finishedAt })]), now: NOW });
    expect(ended(NOW - 10_000)).toMatchObject({ steps: [], wakeAt: NOW + 70_000 });
    expect(ended(NOW + 500)).toMatchObject({ steps: [], wakeAt: NOW + 80_500 });
    expect(ended(NOW + 30 * 86_400_000).steps.map((step) => step.do)).toContain('startContainer');
  });
});
