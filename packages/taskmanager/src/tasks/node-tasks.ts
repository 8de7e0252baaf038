import { errorText, isAbort, type Logger, type NodeIdentity } from '@edge/core';
import { encodeJson, TaskStates, TaskTypes, type Message, type NodeTaskRequest } from '@edge/protocol';
import { taskError, TaskErrors } from '../errors.js';
import type { Background } from '../jobs/background.js';
import type { OneAtATime } from '../jobs/one-at-a-time.js';
import type { Reporter } from '../neighbours/reporter.js';
import type { UpgradeRecords } from '../neighbours/upgrade-records.js';
import type { JobRow, JobRows } from '../records/job-rows.js';
import { readTaskRequest } from './requests.js';
import { stageOf } from './stages.js';
import { CONFIRMED, type StageResult, type TaskStages } from './task-stages.js';

export interface NodeTasksDeps {
  readonly rows: JobRows;
  readonly records: UpgradeRecords;
  readonly reporter: Reporter;
  readonly stages: TaskStages;
  readonly background: Background;
  readonly turns: OneAtATime;
  readonly identity: NodeIdentity;
  readonly log: Logger;
}

/** Stages of an upgrade that have the installation for themselves; the first ones fetch the version. */
const NEED_TURN: ReadonlySet<string> = new Set([TaskStates.none, TaskStates.init, CONFIRMED, TaskStates.backingUp, TaskStates.upgrading, TaskStates.rollingBack]);

/** Jobs of v1alpha1: the cloud asks for one stage after the other. */
export class NodeTasks {
  readonly #deps: NodeTasksDeps;

  constructor(deps: NodeTasksDeps) {
    this.#deps = deps;
  }

  /**
   * Takes a stage on; what comes of it is reported.
   * @throws EdgeError `taskmanager.unknown-job`, `taskmanager.bad-spec`: nobody could be told about it
   */
  async take({ route: { resource }, content }: Message): Promise<void> {
    const { rows, log } = this.#deps;
    const request = readTaskRequest(resource, content);
    if (stageOf(request.Type, request.State) === undefined) {
      throw taskError(TaskErrors.unknownJob, `a task of type ${JSON.stringify(request.Type)} has no state ${JSON.stringify(request.State)}`);
    }
    const key = keyOf(resource, request.State);
    const known = rows.get(key);
    if (known !== undefined && known.phase !== 'waiting') {
      log.info('a stage came again while it is under way', { resource, state: known.action });
      return;
    }
    await this.#begin({ resource: key, action: request.State, phase: 'doing', content: encodeJson(request), from_version: '' });
  }

  /** Lets the upgrade go that waits for it. False when there is none. */
  async confirm(): Promise<boolean> {
    const { rows, records } = this.#deps;
    const row = rows.all().find(({ resource, phase }) => phase === 'waiting' && resource.startsWith(`${TaskTypes.upgrade}/`));
    if (row) {
      await this.#begin({ ...row, action: CONFIRMED, phase: 'doing' });
      return true;
    }
    const record = (await records.all()).find(({ version }) => version === 'v1alpha1');
    if (!record) return false;
    // The Go agent left it, or its first stage was answered and nothing more was asked for.
    const resource = keyOf(`${TaskTypes.upgrade}/${record.job}/node/${this.#deps.identity.name}`, TaskStates.init);
    if (rows.get(resource) !== undefined) return true;
    await this.#begin({ resource, action: CONFIRMED, phase: 'doing', content: encodeJson(record.value), from_version: '' });
    return true;
  }

  /** Goes on with what the process before this one left. */
  resume(row: JobRow): void {
    if (row.phase === 'waiting') return;
    this.#deps.log.info('a task goes on where it was', { resource: row.resource, state: row.action });
    this.#deps.background.start((signal) => this.#perform(row, signal));
  }

  async #begin(row: JobRow): Promise<void> {
    await this.#deps.rows.put(row);
    this.#deps.background.start((signal) => this.#perform(row, signal));
  }

  async #perform(row: JobRow, signal: AbortSignal): Promise<void> {
    const { rows, reporter, identity, turns } = this.#deps;
    const request = JSON.parse(row.content) as NodeTaskRequest;
    const turn = request.Type === TaskTypes.upgrade && NEED_TURN.has(row.action) ? await turns.turn(signal) : undefined;
    try {
      const { event, action, reason = '', message = '', afterwards } = await this.#stage(row, request, signal);
      const Event = event ?? stageOf(request.Type, request.State)?.event ?? '';
      await reporter.stage(request.Type, request.TaskID, { NodeName: identity.name, State: '', Event, Action: action, Reason: reason, Time: '', ExternalMessage: message }, signal);
      if (action === 'Confirmation') await rows.put({ ...row, phase: 'waiting' });
      else await rows.remove(row.resource);
      await afterwards?.();
    } finally {
      turn?.[Symbol.dispose]();
    }
  }

  async #stage(row: JobRow, request: NodeTaskRequest, signal: AbortSignal): Promise<StageResult> {
    try {
      return await this.#deps.stages.perform(row, request, signal);
    } catch (error) {
      if (isAbort(error) && signal.aborted) throw error;
      return { action: 'Failure', reason: errorText(error) };
    }
  }
}

/** Of a stage's row: the next stage may come before the one that was just told is put away. */
function keyOf(resource: string, state: string): string {
  return `${resource}#${state === TaskStates.none ? TaskStates.init : state}`;
}
