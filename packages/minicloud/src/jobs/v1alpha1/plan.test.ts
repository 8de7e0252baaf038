import { expect, it } from 'vitest';
import { nodesOf, TASK_KINDS, type TaskKind, type TaskNode, type TaskState } from './kinds.js';
import { planStage } from './plan.js';

const [upgrade, prepull] = TASK_KINDS as [TaskKind, TaskKind];
const nodes = (...states: (TaskState | undefined)[]): TaskNode[] => states.map((state, at) => ({ nodeName: `n${at}`, ...(state ? { state, event: 'Check' } : {}) }));
const told = (...names: string[]) => (node: string): number | undefined => (names.includes(node) ? 0 : undefined);

it('[minicloud-18.10] a stage of v1alpha1: as many at a time as there is room for, none more when too many have failed, the next when all are through', () => {
  const job = { state: 'Checking' as const, nodeStatus: nodes('Checking', 'BackingUp', 'Checking', 'Checking') };
  expect(planStage(upgrade, {}, job, { toldAt: told(), now: 0 }).tell.map(({ nodeName }) => nodeName)).toEqual(['n0']);
  expect(planStage(upgrade, { concurrency: 3 }, job, { toldAt: told('n0'), now: 0 }).tell.map(({ nodeName }) => nodeName)).toEqual(['n2', 'n3']);
  const tooMany = { state: 'Checking' as const, nodeStatus: nodes('Failed', 'Checking', 'Checking') };
  expect(planStage(upgrade, { failureTolerate: '0.3' }, tooMany, { toldAt: told('n1'), now: 0 })).toEqual({ tell: [], lookAgainMs: 300_000 });
  expect(planStage(upgrade, { failureTolerate: '0.3' }, tooMany, { toldAt: told(), now: 0 }).status).toMatchObject({ state: 'Failed', action: 'Failure', reason: '1 of 3 nodes failed, more than failureTolerate allows' });
  expect(planStage(upgrade, { failureTolerate: '0.5' }, { state: 'Checking', nodeStatus: nodes('Failed', 'BackingUp', 'BackingUp') }, { toldAt: told(), now: 0 }).status).toMatchObject({ state: 'BackingUp', event: 'Check', action: 'Success' });
  // With no failure at all even none is tolerated.
  expect(planStage(upgrade, { failureTolerate: '0' }, { nodeStatus: nodes('Checking') }, { toldAt: told('n0'), now: 0 }).status).toMatchObject({ state: 'Checking' });
});

it('[minicloud-18.11] a node of v1alpha1 that says nothing has failed in the end; what is over has an empty plan', () => {
  const job = { state: 'Pulling' as const, status: nodes('Pulling', 'Pulling').map((nodeStatus) => ({ nodeStatus })) };
  const around = { toldAt: told('n0'), now: 5000 };
  expect(planStage(prepull, { timeoutSeconds: 6 }, job, around)).toEqual({ tell: [], lookAgainMs: 1000 });
  const late = planStage(prepull, { timeoutSeconds: 5, failureTolerate: '0.6' }, job, around);
  expect(late.tell).toMatchObject([{ nodeName: 'n1' }]);
  expect(nodesOf(prepull, late.status ?? {})).toMatchObject([{ state: 'Failed', event: 'TimeOut', action: 'Failure' }, { state: 'Pulling' }]);
  expect(planStage(prepull, {}, { ...job, state: 'Failed' }, around)).toEqual({ tell: [] });
});
