import { errorText, isAbort, type Logger } from '@edge/core';
import { encodeJson, flowStep, formatNodeJob, isNodeJobType, nextAction, NODE_JOBS_API, NodeJobActions, NodeJobTypes, parseNodeJob, type Message, type NodeJobAction, type NodeJobType } from '@edge/protocol';
import { taskError, TaskErrors } from '../errors.js';
import { actionStatus, type Reporter } from '../neighbours/reporter.js';
import type { UpgradeRecords } from '../neighbours/upgrade-records.js';
import type { JobRow, JobRows } from '../records/job-rows.js';
import type { ActionResult } from './action-result.js';
import type { Background } from './background.js';
import { nodeJob, type NodeJob } from './node-job.js';
import type { OneAtATime } from './one-at-a-time.js';

/** The actions of one type of job. */
export interface Actions {
  act(job: NodeJob, action: NodeJobAction, signal: AbortSignal): Promise<ActionResult>;
}

export interface NodeJobsDeps {
  readonly rows: JobRows;
  readonly records: UpgradeRecords;
  readonly reporter: Reporter;
  readonly actions: Readonly<Record<NodeJobType, Actions>>;
  readonly background: Background;
  /** Changes of the agent come one after the other. */
  readonly turns: OneAtATime;
  readonly log: Logger;
}

const { backUp, upgrade, rollBack, update, check } = NodeJobActions;
const CHANGE_THE_AGENT: ReadonlySet<string> = new Set([backUp, upgrade, rollBack, update]);
/** Fetching a version has the installation for itself, too; for other types a check touches nothing. */
const needsTurn = (type: NodeJobType, action: string): boolean => CHANGE_THE_AGENT.has(action) || (type === NodeJobTypes.upgrade && action === check);
/** What upstream reports without a time. */
const TIMELESS: ReadonlySet<string> = new Set([check, backUp]);

/** Jobs of v1alpha2: the cloud sends the spec, the node walks the flow and tells how each action came out. */
export class NodeJobs {
  readonly #deps: NodeJobsDeps;

  constructor(deps: NodeJobsDeps) {
    this.#deps = deps;
  }

  /**
   * Takes a job on; what comes of it is reported.
   * @throws ProtocolError `protocol.resource`, EdgeError `taskmanager.unknown-job`: nobody could be told about it
   */
  async take({ route: { resource, operation }, content }: Message): Promise<void> {
    const { rows, log } = this.#deps;
    const type = typeOf(resource);
    if (flowStep(type, operation) === undefined) {
      return this.#refuse(resource, operation, `a ${type} has no action ${JSON.stringify(operation)}`);
    }
    const known = rows.get(resource);
    if (known !== undefined && known.phase !== 'waiting') {
      log.info('a job came again while it is under way', { resource, action: known.action });
      return;
    }
    if (type === NodeJobTypes.upgrade) {
      const other = this.#upgrades().find((row) => row.resource !== resource);
      if (other && other.phase !== 'waiting') return this.#refuse(resource, operation, `the node is busy with ${jobOf(other)}`);
      if (other) await this.#giveWay(other, resource);
    }
    await this.#begin({ resource, action: operation, phase: 'doing', content: encodeJson(content), from_version: '' });
  }

  /** Lets the upgrade go that waits for it. False when there is none. */
  async confirm(): Promise<boolean> {
    const [row] = this.#upgrades();
    if (row !== undefined) {
      if (row.phase === 'waiting') await this.#begin({ ...row, action: backUp, phase: 'doing' });
      // It has been confirmed already: who says it twice means it once.
      return CHANGE_THE_AGENT.has(row.action) || row.phase === 'waiting';
    }
    const record = (await this.#deps.records.all()).find(({ version }) => version === 'v1alpha2');
    if (!record) return false;
    // The Go agent left it.
    const resource = formatNodeJob({ type: NodeJobTypes.upgrade, job: record.job, node: record.node });
    await this.#begin({ resource, action: backUp, phase: 'doing', content: encodeJson(record.value), from_version: '' });
    return true;
  }

  /** Goes on with what the process before this one left. */
  resume(row: JobRow): void {
    if (row.phase === 'waiting') return;
    this.#deps.log.info('a job goes on where it was', { resource: row.resource, action: row.action });
    this.#walkOn(row);
  }

  async #begin(row: JobRow): Promise<void> {
    await this.#deps.rows.put(row);
    this.#walkOn(row);
  }

  #walkOn(row: JobRow): void {
    this.#deps.background.start((signal) => this.#walk(row, signal));
  }

  async #walk(begun: JobRow, signal: AbortSignal): Promise<void> {
    let turn: Disposable | undefined;
    try {
      for (let row: JobRow | undefined = begun; row && row.phase !== 'ended'; ) {
        if (needsTurn(typeOf(row.resource), row.action)) turn ??= await this.#deps.turns.turn(signal);
        row = await this.#step(row, signal);
        if (row?.phase === 'waiting') return;
      }
      await this.#tidy(begun.resource, signal);
    } finally {
      turn?.[Symbol.dispose]();
    }
  }

  /** One action; the row of what follows it, undefined after the last. */
  async #step(row: JobRow, signal: AbortSignal): Promise<JobRow | undefined> {
    const { rows, reporter } = this.#deps;
    const type = typeOf(row.resource);
    const action = row.action as NodeJobAction;
    const { succeeded, reason = '', extend = '', waits, afterwards } = await this.#act(type, action, row, signal);
    const at = type === NodeJobTypes.configUpdate && TIMELESS.has(action) ? undefined : Date.now();
    await reporter.action(row.resource, actionStatus(action, succeeded, { at, reason, extend }), signal);
    const next = nextAction(type, action, succeeded);
    // The action may have noted something.
    const noted = rows.get(row.resource) ?? row;
    const following: JobRow = waits ? { ...noted, phase: 'waiting' } : { ...noted, action: next ?? action, phase: next ? 'doing' : 'ended' };
    await rows.put(following);
    await afterwards?.();
    return following;
  }

  async #act(type: NodeJobType, action: NodeJobAction, row: JobRow, signal: AbortSignal): Promise<ActionResult> {
    try {
      return await this.#deps.actions[type].act(nodeJob(row), action, signal);
    } catch (error) {
      if (isAbort(error) && signal.aborted) throw error;
      const extend = type === NodeJobTypes.upgrade && CHANGE_THE_AGENT.has(action) ? ',' : '';
      return { succeeded: false, reason: errorText(error), extend };
    }
  }

  async #tidy(resource: string, signal: AbortSignal): Promise<void> {
    const { rows, records } = this.#deps;
    if (typeOf(resource) === NodeJobTypes.upgrade) await records.forget('v1alpha2', signal);
    await rows.remove(resource);
  }

  #upgrades(): JobRow[] {
    return this.#deps.rows.all().filter(({ resource, phase }) => resource.startsWith(UPGRADES) && phase !== 'ended');
  }

  /** A later upgrade takes the place of one that nobody has confirmed; upstream keeps one alone, too. */
  async #giveWay(other: JobRow, to: string): Promise<void> {
    await this.#deps.rows.remove(other.resource);
    this.#refuse(other.resource, backUp, `nobody confirmed it before ${parseNodeJob(to).job} took its place`);
  }

  #refuse(resource: string, action: string, reason: string): void {
    const { background, reporter, log } = this.#deps;
    log.warn('a job is refused', { resource, action, why: reason });
    background.start((signal) => reporter.action(resource, actionStatus(action, false, { at: Date.now(), reason }), signal));
  }
}

const UPGRADES = `${NODE_JOBS_API}/${NodeJobTypes.upgrade}/`;

function jobOf({ resource, action }: JobRow): string {
  return `${parseNodeJob(resource).job} (${action})`;
}

function typeOf(resource: string): NodeJobType {
  const { type } = parseNodeJob(resource);
  if (isNodeJobType(type)) return type;
  throw taskError(TaskErrors.unknownJob, `jobs of type ${JSON.stringify(type.slice(0, 80))} are not known; known are ${Object.values(NodeJobTypes).join(', ')}`);
}
