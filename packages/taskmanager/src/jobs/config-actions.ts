import { NodeJobActions, type NodeJobAction } from '@edge/protocol';
import { taskError, TaskErrors } from '../errors.js';
import type { NodeInstallation } from '../installation.js';
import { readConfigUpdateSpec } from '../specs/specs.js';
import { handedResult, SUCCESS, type ActionResult } from './action-result.js';
import { silenceLimitMs, type Expectation, type HandOver } from './hand-over.js';
import type { NodeJob } from './node-job.js';

/** The actions of a ConfigUpdateJob. Nothing of them stands in `extend`, as upstream has it. */
export class ConfigActions {
  readonly #installation: NodeInstallation;
  readonly #handOver: HandOver;

  constructor(deps: { installation: NodeInstallation; handOver: HandOver }) {
    this.#installation = deps.installation;
    this.#handOver = deps.handOver;
  }

  /** @throws what stands in the job as the reason of a failure */
  async act(job: NodeJob, action: NodeJobAction, signal: AbortSignal): Promise<ActionResult> {
    switch (action) {
      case NodeJobActions.check:
        return SUCCESS;
      case NodeJobActions.backUp:
        await this.#installation.backUp(signal);
        return SUCCESS;
      case NodeJobActions.update:
        return { ...(await this.#update(job, signal)), extend: '' };
      case NodeJobActions.rollBack:
        // What failed has put the old configuration back by itself, or was never begun.
        return SUCCESS;
      default:
        throw taskError(TaskErrors.unknownJob, `a ConfigUpdateJob has no action ${action}`);
    }
  }

  async #update(job: NodeJob, signal: AbortSignal): Promise<ActionResult> {
    const { fields } = readConfigUpdateSpec(job.content);
    if (Object.keys(fields).length === 0) throw taskError(TaskErrors.badSpec, 'the job names no field that is to be changed');
    const from = job.row.from_version || (await this.#installation.running());
    const expected: Expectation = { action: 'Update', from, wanted: undefined, limitMs: silenceLimitMs(undefined) };
    if (job.row.phase === 'handed') return handedResult(await this.#handOver.settle(expected, signal), this.#installation);
    const result = await this.#handOver.give({ ...job.row, from_version: from }, expected, () => this.#installation.updateConfiguration(fields), signal);
    return handedResult(result, this.#installation);
  }
}
