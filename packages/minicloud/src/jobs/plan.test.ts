import { describe, expect, it } from 'vitest';
import { phaseOf, planJob, type Surroundings } from './plan.js';
import type { JobStatus, NodePhase, NodeTask } from './types.js';

const around = (more: Partial<Surroundings> = {}): Surroundings => ({ isConnected: () => true, heardAt: () => 0, now: 0, ...more });
const tasks = (...phases: NodePhase[]): NodeTask[] => phases.map((phase, at) => ({ nodeName: `n${at}`, phase }));
const status = (...phases: NodePhase[]): JobStatus => ({ phase: 'InProgress', nodeStatus: tasks(...phases) });

describe('plans of node jobs', () => {
  it.each<[NodePhase[], string | undefined, string]>([
    [['Pending', 'Failure'], undefined, 'InProgress'],
    [['InProgress'], '1', 'InProgress'],
    [['Successful', 'Successful'], undefined, 'Completed'],
    [['Successful', 'Failure'], undefined, 'Failure'],
    [['Successful', 'Unknown'], '0.5', 'Completed'],
    [['Successful', 'Successful', 'Failure'], '0.33', 'Completed'],
    [['Successful', 'Failure', 'Failure'], '0.66', 'Failure'],
    [['Failure'], 'all of them', 'Failure'],
    [['Failure', 'Failure'], '1', 'Completed'],
  ])('[minicloud-18.5] nodes %j with tolerance %s make the job %s', (phases, tolerate, phase) => {
    expect(phaseOf(tasks(...phases), tolerate).phase).toBe(phase);
  });

  it('[minicloud-18.6] as many begin as there is room for, one when nothing is said; who is away fails and takes no room', () => {
    expect(planJob({}, status('Pending', 'Pending'), around()).begin).toEqual(['n0']);
    expect(planJob({ concurrency: 3 }, status('InProgress', 'Pending', 'Successful', 'Pending', 'Pending'), around()).begin).toEqual(['n1', 'n3']);
    const away = planJob({ concurrency: 1 }, status('Pending', 'Pending'), around({ isConnected: (node) => node === 'n1' }));
    expect(away.begin).toEqual(['n1']);
    expect(away.status?.nodeStatus?.map(({ phase }) => phase)).toEqual(['Failure', 'InProgress']);
  });

  it('[minicloud-18.7] only a node that has had its turn can be late, its place goes to the next one, and the plan says when to look again', () => {
    const job = status('InProgress', 'Pending');
    expect(planJob({ timeoutSeconds: 5 }, job, around({ now: 3000 }))).toEqual({ begin: [], lookAgainMs: 2000 });
    const late = planJob({ timeoutSeconds: 5 }, job, around({ now: 5000 }));
    expect(late).toMatchObject({ begin: ['n1'], lookAgainMs: 5000, status: { nodeStatus: [{ phase: 'Unknown' }, { phase: 'InProgress' }] } });
    expect(planJob({}, job, around({ now: 1e12 }))).toEqual({ begin: [] });
  });

  it('[minicloud-18.8] the plan for what is planned is empty', () => {
    const settings = { concurrency: 2, failureTolerate: '0.5' };
    const { status: next } = planJob(settings, { phase: 'Init', nodeStatus: tasks('Pending', 'Failure', 'Pending') }, around());
    expect(planJob(settings, next as JobStatus, around())).toEqual({ begin: [] });
    expect(planJob(settings, { phase: 'Failure', reason: 'nobody is meant' }, around())).toEqual({ begin: [] });
  });
});
