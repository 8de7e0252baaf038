import { encodeJson, TaskStates, TaskTypes, type NodeTaskRequest, type NodeTaskResponse } from '@edge/protocol';
import { checkItem, type LoadMeter } from '../checks/check-items.js';
import { taskError, TaskErrors } from '../errors.js';
import type { NodeInstallation } from '../installation.js';
import { silenceLimitMs, type Expectation, type HandOver } from '../jobs/hand-over.js';
import type { ImagePuller } from '../neighbours/image-puller.js';
import type { UpgradeRecords } from '../neighbours/upgrade-records.js';
import type { JobRow } from '../records/job-rows.js';
import { taskImageStatuses } from '../reports/images.js';
import type { HandedResult } from '../upgrade/handed-outcome.js';
import { checkDigest, checkImage, checkVersion } from '../upgrade/order.js';
import { readTaskChecks, readTaskPull, readTaskUpgrade, type TaskUpgrade } from './requests.js';

/** What a stage came to. */
export interface StageResult {
  /** In the place of the stage's own. */
  readonly event?: string;
  readonly action: NodeTaskResponse['Action'];
  readonly reason?: string;
  readonly message?: string;
  /** Once it is told. */
  readonly afterwards?: () => Promise<void>;
}

const SUCCESS: StageResult = { action: 'Success' };

export interface TaskStagesDeps {
  readonly installation: NodeInstallation;
  readonly handOver: HandOver;
  readonly records: UpgradeRecords;
  readonly puller: ImagePuller;
  readonly meter: LoadMeter;
}

/** One stage of a task. */
export class TaskStages {
  readonly #deps: TaskStagesDeps;

  constructor(deps: TaskStagesDeps) {
    this.#deps = deps;
  }

  /** @throws what stands in the job as the reason of a failure */
  async perform(row: JobRow, request: NodeTaskRequest, signal: AbortSignal): Promise<StageResult> {
    const { State: state, Type: type, Item: item } = request;
    switch (state) {
      case TaskStates.none:
      case TaskStates.init:
        return type === TaskTypes.upgrade ? this.#begin(row, request, signal) : SUCCESS;
      case TaskStates.checking:
        return this.#check(readTaskChecks(item), signal);
      case TaskStates.backingUp:
        await this.#deps.installation.backUp(signal);
        return SUCCESS;
      case TaskStates.upgrading:
        return this.#upgrade(row, readTaskUpgrade(item), signal);
      case TaskStates.rollingBack:
        return this.#rollBack(row, readTaskUpgrade(item), signal);
      default:
        return this.#pull(item, signal);
    }
  }

  async #begin(row: JobRow, request: NodeTaskRequest, signal: AbortSignal): Promise<StageResult> {
    const { records, installation } = this.#deps;
    const order = readTaskUpgrade(request.Item);
    if (order.id === '') throw taskError(TaskErrors.badSpec, 'Item.UpgradeID is empty');
    checkVersion(order.version);
    checkImage(order.image.replace(/:[^/]*$/, ''), order.version);
    if (order.digest !== '') checkDigest(order.digest);
    await records.save({ version: 'v1alpha1', job: request.TaskID, node: '', value: request });
    if (order.requireConfirmation && row.action !== CONFIRMED) {
      return { event: 'Confirm', action: 'Confirmation', reason: 'it waits until somebody at the node confirms it' };
    }
    // The rule that the cloud has for a node that needs no upgrade.
    if (order.version === (await installation.running())) return { ...SUCCESS, event: 'Upgrade' };
    await installation.prepare({ version: order.version, ...(order.digest === '' ? {} : { digest: order.digest }) }, signal);
    return SUCCESS;
  }

  async #check(items: readonly string[], signal: AbortSignal): Promise<StageResult> {
    const found: Record<string, string> = {};
    let failed = false;
    for (const item of items) {
      const problem = await checkItem(item, this.#deps.meter, 'all', signal);
      found[item] = problem ?? 'ok';
      failed ||= problem !== undefined;
    }
    return failed ? { action: 'Failure', reason: encodeJson(found) } : SUCCESS;
  }

  async #upgrade(row: JobRow, { version }: TaskUpgrade, signal: AbortSignal): Promise<StageResult> {
    const { installation, handOver, records } = this.#deps;
    checkVersion(version);
    await records.forget('v1alpha1', signal);
    const from = row.from_version || (await installation.running());
    const expected: Expectation = { action: 'Upgrade', from, wanted: version, limitMs: silenceLimitMs(undefined) };
    if (row.phase === 'handed') return this.#result(await handOver.settle(expected, signal));
    return this.#result(await handOver.give({ ...row, from_version: from }, expected, () => installation.upgrade({ version }), signal));
  }

  async #rollBack(row: JobRow, { version }: TaskUpgrade, signal: AbortSignal): Promise<StageResult> {
    const { installation, handOver } = this.#deps;
    const running = await installation.running();
    const expected: Expectation = { action: 'RollBack', from: version, wanted: undefined, limitMs: silenceLimitMs(undefined) };
    if (row.phase === 'handed') return this.#result(await handOver.settle(expected, signal));
    // It has gone back by itself, or was never upgraded.
    if (running !== version) return SUCCESS;
    return this.#result(await handOver.give(row, expected, () => installation.rollBack({}), signal));
  }

  async #pull(item: unknown, signal: AbortSignal): Promise<StageResult> {
    const images = await this.#deps.puller.pull(readTaskPull(item), signal);
    const message = taskImageStatuses(images);
    const [bad] = images.filter(({ reason }) => reason !== undefined);
    return bad ? { action: 'Failure', reason: `image ${bad.image} could not be pulled: ${bad.reason}`, message } : { ...SUCCESS, message };
  }

  #result({ succeeded, reason }: HandedResult): StageResult {
    const afterwards = (): Promise<void> => this.#deps.installation.dropReport();
    return succeeded ? { ...SUCCESS, afterwards } : { action: 'Failure', reason, afterwards };
  }
}

/** `action` of a row whose first stage goes on after the confirmation. */
export const CONFIRMED = 'confirmed';
