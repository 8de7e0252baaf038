import { sameData } from '@edge/protocol';
import type { JobPhase, JobSettings, JobStatus, NodePhase, NodeTask } from './types.js';

/** What a plan depends on besides the job. */
export interface Surroundings {
  readonly isConnected: (node: string) => boolean;
  /** When a node last said something of the job, or was given it. Milliseconds since the epoch. */
  readonly heardAt: (node: string) => number;
  readonly now: number;
}

export interface JobPlan {
  /** The status as it has to be; undefined when it is so already. */
  readonly status?: JobStatus;
  /** Nodes whose turn it is. */
  readonly begin: readonly string[];
  /** Milliseconds after which a node has been silent for too long. */
  readonly lookAgainMs?: number;
}

const TIMED_OUT = 'The node task has timed out';

/** What to do next about a job that has its first status. Once it is done the plan for the same moment is empty. */
export function planJob(settings: JobSettings, status: JobStatus, around: Surroundings): JobPlan {
  if (!status.nodeStatus) return { begin: [] };
  const limitMs = (settings.timeoutSeconds ?? 0) * 1000;
  const judged = status.nodeStatus.map((task) => (limitMs > 0 && left(task, limitMs, around) <= 0 ? ended(task, 'Unknown', TIMED_OUT) : task));
  const { tasks, begin } = fillSlots(judged, settings.concurrency ?? 1, around);
  const next = { ...phaseOf(tasks, settings.failureTolerate), nodeStatus: tasks };
  const waits = limitMs > 0 ? tasks.filter(({ phase, nodeName }) => phase === 'InProgress' && !begin.includes(nodeName)).map((task) => left(task, limitMs, around)) : [];
  if (limitMs > 0 && begin.length > 0) waits.push(limitMs);
  return {
    begin,
    ...(sameData(next, status) ? {} : { status: next }),
    ...(waits.length > 0 ? { lookAgainMs: Math.max(1, Math.min(...waits)) } : {}),
  };
}

function left(task: NodeTask, limitMs: number, { heardAt, now }: Surroundings): number {
  return task.phase === 'InProgress' ? heardAt(task.nodeName) + limitMs - now : limitMs;
}

function ended(task: NodeTask, phase: NodePhase, reason: string): NodeTask {
  return { ...task, phase, reason };
}

/** Gives waiting nodes their turn while there is room, in the order of the list. */
function fillSlots(tasks: readonly NodeTask[], concurrency: number, { isConnected }: Surroundings): { tasks: NodeTask[]; begin: string[] } {
  const begin: string[] = [];
  let room = Math.max(1, concurrency) - tasks.filter(({ phase }) => phase === 'InProgress').length;
  const next = tasks.map((task): NodeTask => {
    if (task.phase !== 'Pending' || room <= 0) return task;
    if (!isConnected(task.nodeName)) return ended(task, 'Failure', `the node ${task.nodeName} is not connected to the current cloudcore instance`);
    room -= 1;
    begin.push(task.nodeName);
    return { ...task, phase: 'InProgress' };
  });
  return { tasks: next, begin };
}

/** The phase of a job by those of its nodes. */
export function phaseOf(tasks: readonly NodeTask[], failureTolerate: string | undefined): { phase: JobPhase; reason?: string } {
  const failed = tasks.filter(({ phase }) => phase === 'Failure' || phase === 'Unknown').length;
  if (tasks.some(({ phase }) => phase === 'Pending' || phase === 'InProgress')) return { phase: 'InProgress' };
  // To two digits: a third of the nodes is within "0.33".
  if (failed > 0 && Math.round((failed / tasks.length) * 100) / 100 > tolerance(failureTolerate)) {
    return { phase: 'Failure', reason: `${failed} of ${tasks.length} nodes failed, more than failureTolerate allows` };
  }
  return { phase: 'Completed' };
}

function tolerance(text: string | undefined): number {
  const share = Number(text ?? 0);
  return Number.isNaN(share) ? 0 : share;
}
