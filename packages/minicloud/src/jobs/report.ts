import { isFields, NODE_JOB_FLOWS, timestamp, type Message } from '@edge/protocol';
import { minicloudError, MinicloudErrors } from '../errors.js';
import { isLastAction, JOB_KINDS, JOBS_API, type JobKind } from './job-kinds.js';
import type { ActionStatus, NodeTask } from './types.js';

/** What a node says about an action that it has finished. */
export interface Report {
  readonly kind: JobKind;
  readonly job: string;
  readonly node: string;
  readonly action: string;
  readonly succeeded: boolean;
  readonly finishTime: string;
  readonly reason: string;
  /** What the action brought, in a form of its own. */
  readonly extend: string;
}

/**
 * Reads `UpdateNodeActionStatus` of `operations.kubeedge.io/v1alpha2/<type>/<job>/node/<node>`.
 * @throws EdgeError `minicloud.bad-content`
 */
export function readReport({ route, content }: Message): Report {
  const parts = route.resource.split('/');
  const [group, version, type, job = '', , node = ''] = parts;
  const kind = JOB_KINDS.find((known) => known.type === type);
  if (parts.length !== 6 || `${group}/${version}` !== JOBS_API || parts[4] !== 'node' || !kind) {
    throw bad(`"${route.resource}" is not a node job: it must be ${JOBS_API}/<${JOB_KINDS.map((known) => known.type).join('|')}>/<job>/node/<node>`);
  }
  if (!isFields(content)) throw bad('the content must be an object with action and succ');
  const { action, succ, finishTime, reason, extend } = content;
  if (typeof action !== 'string' || isLastAction(kind, action, true) === undefined) {
    throw bad(`action is ${JSON.stringify(action)}, a ${kind.kind} has ${NODE_JOB_FLOWS[kind.type].map((step) => step.action).join(', ')}`);
  }
  return { kind, job, node, action, succeeded: succ === true, finishTime: text(finishTime), reason: text(reason), extend: text(extend) };
}

/** Whether a report has come before: nodes send one again whose arrival they did not hear of. */
export function isRepeated({ actionFlow = [] }: NodeTask, { action, finishTime }: Report): boolean {
  return actionFlow.some((done) => done.action === action && done.time === finishTime);
}

/** A node's part of the status after a report. `now` stands for a time that is missing. */
export function applyReport(task: NodeTask, report: Report, now: number): NodeTask {
  const { kind, action, succeeded, reason, finishTime } = report;
  const done: ActionStatus = {
    action, status: succeeded ? 'True' : 'False', ...(succeeded || reason === '' ? {} : { reason }),
    time: Number.isNaN(Date.parse(finishTime)) ? timestamp(now) : finishTime,
  };
  const isLast = isLastAction(kind, action, succeeded) === true;
  // A late report tells what became of a node that was given up.
  const { reason: before, ...rest } = task;
  const words = isLast && !succeeded ? reason : task.phase === 'Unknown' ? '' : (before ?? '');
  return {
    ...rest, ...extension(report),
    actionFlow: [...(task.actionFlow ?? []), done],
    phase: isLast ? (succeeded ? 'Successful' : 'Failure') : 'InProgress',
    ...(words === '' ? {} : { reason: words }),
  };
}

/** What `extend` holds depends on the kind; what cannot be read is passed over. */
function extension({ kind, action, extend }: Report): Partial<NodeTask> {
  if (extend === '') return {};
  if (kind.type === 'nodeupgradejob') {
    const [from = '', to = ''] = extend.split(',');
    return { ...(from === '' ? {} : { historicVersion: from }), ...(to === '' ? {} : { currentVersion: to }) };
  }
  return action === 'Pull' ? { imageStatus: images(extend) } : {};
}

function images(extend: string): NonNullable<NodeTask['imageStatus']> {
  let list: unknown;
  try {
    list = JSON.parse(extend);
  } catch {
    return [];
  }
  const items: unknown[] = Array.isArray(list) ? list : [];
  return items.filter(isFields).map(({ image, status, reason }) => ({ image: text(image), status: text(status), ...(text(reason) === '' ? {} : { reason: text(reason) }) }));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function bad(message: string): Error {
  return minicloudError(MinicloudErrors.badContent, message);
}
