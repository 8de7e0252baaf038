import { sameData, timestamp } from '@edge/protocol';
import type { JobSettings } from '../types.js';
import { isFinal, nodesOf, type TaskKind, type TaskNode, type TaskState, type TaskStatus, withNodes } from './kinds.js';

/** What a plan depends on besides the job. */
export interface StageSurroundings {
  /** When a node was told what it has to do in this stage; undefined: it was not. Milliseconds since the epoch. */
  readonly toldAt: (node: string, stage: TaskState) => number | undefined;
  readonly now: number;
}

export interface StagePlan {
  /** The status as it has to be; undefined when it is so already. */
  readonly status?: TaskStatus;
  /** Nodes that are to be told, and in which state they are. */
  readonly tell: readonly TaskNode[];
  readonly lookAgainMs?: number;
}

/** As long as upstream waits when nothing is said. Seconds. */
const PATIENCE_S = 300;
const TOLERANCE = 0.1;

/** What to do next about a job that has its nodes: a stage begins when all nodes have done with the one before. */
export function planStage(kind: TaskKind, settings: JobSettings, status: TaskStatus, around: StageSurroundings): StagePlan {
  if (isFinal(status.state)) return { tell: [] };
  const stage = status.state ?? 'Init';
  const limitMs = (settings.timeoutSeconds || PATIENCE_S) * 1000;
  const left = (node: TaskNode): number => (around.toldAt(node.nodeName, stage) ?? around.now) + limitMs - around.now;
  const isDone = (node: TaskNode): boolean => isFinal(node.state) || node.state === kind.next[stage];
  const isRunning = (node: TaskNode): boolean => !isDone(node) && around.toldAt(node.nodeName, stage) !== undefined;
  const nodes = nodesOf(kind, status).map((node) => (isRunning(node) && left(node) <= 0 ? afterEvent(kind, node, timeOut(stage), around.now) ?? node : node));
  const running = nodes.filter(isRunning);
  const failed = nodes.filter(({ state }) => state === 'Failed').length;
  const isOver = failed > 0 && failed >= nodes.length * tolerance(settings.failureTolerate);
  const room = isOver ? 0 : Math.max(1, settings.concurrency ?? 1) - running.length;
  const tell = nodes.filter((node) => !isDone(node) && !isRunning(node)).slice(0, Math.max(0, room));
  const settled = withNodes(kind, status, nodes);
  const next = running.length > 0 || tell.length > 0 ? settled : isOver ? failedJob(settled, failed, nodes, around.now) : nextStage(kind, settled, nodes, around.now);
  const waits = [...running.map(left), ...(tell.length > 0 ? [limitMs] : [])];
  return {
    tell,
    ...(sameData(next, status) ? {} : { status: next }),
    ...(waits.length > 0 ? { lookAgainMs: Math.max(1, Math.min(...waits)) } : {}),
  };
}

/** Something that has happened to a node. */
export interface TaskEvent {
  readonly event: string;
  readonly action: string;
  readonly reason: string;
}

/** A node after an event; undefined when its state has no rule for that. */
export function afterEvent(kind: TaskKind, node: TaskNode, { event, action, reason }: TaskEvent, now: number): TaskNode | undefined {
  const state = kind.rules[`${node.state ?? 'Init'}/${event}/${action}`];
  return state && { nodeName: node.nodeName, state, event, action, time: timestamp(now), ...(reason === '' ? {} : { reason }) };
}

function timeOut(stage: TaskState): TaskEvent {
  return { event: 'TimeOut', action: 'Failure', reason: `the node has said nothing in time, it was ${stage}` };
}

function failedJob(status: TaskStatus, failed: number, nodes: readonly TaskNode[], now: number): TaskStatus {
  const event = nodes.find(({ state }) => state === 'Failed')?.event ?? '';
  return { ...status, state: 'Failed', event, action: 'Failure', time: timestamp(now), reason: `${failed} of ${nodes.length} nodes failed, more than failureTolerate allows` };
}

function nextStage(kind: TaskKind, status: TaskStatus, nodes: readonly TaskNode[], now: number): TaskStatus {
  // The nodes that go on say what comes next, not one that had nothing to do.
  const leader = nodes.find(({ state }) => !isFinal(state)) ?? nodes.find(({ state }) => state === 'Successful');
  const event = leader?.event ?? '';
  return { ...status, state: leader?.state ?? 'Failed', event, action: 'Success', time: timestamp(now) };
}

function tolerance(text: string | undefined): number {
  const share = text === undefined || text === '' ? TOLERANCE : Number(text);
  return Number.isNaN(share) ? TOLERANCE : share;
}
