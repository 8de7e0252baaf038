import { NodeJobActions, type NodeJobAction } from '@edge/protocol';
import { taskError, TaskErrors } from '../errors.js';
import type { LoadMeter } from '../checks/check-items.js';
import { demandChecks } from '../checks/demand-checks.js';
import type { NodeInstallation } from '../installation.js';
import type { UpgradeRecords } from '../neighbours/upgrade-records.js';
import { readUpgradeSpec, type UpgradeSpec } from '../specs/specs.js';
import { planGoBack } from '../upgrade/go-back.js';
import { checkImage, checkVersion, digestFor } from '../upgrade/order.js';
import { handedResult, SUCCESS, type ActionResult } from './action-result.js';
import { readySeconds, silenceLimitMs, type Expectation, type HandOver } from './hand-over.js';
import type { NodeJob } from './node-job.js';

export interface UpgradeActionsDeps {
  readonly installation: NodeInstallation;
  readonly handOver: HandOver;
  readonly records: UpgradeRecords;
  readonly meter: LoadMeter;
  /** As Node.js names the processor. */
  readonly machine: string;
}

/** The actions of a NodeUpgradeJob. */
export class UpgradeActions {
  readonly #deps: UpgradeActionsDeps;

  constructor(deps: UpgradeActionsDeps) {
    this.#deps = deps;
  }

  /** @throws what stands in the job as the reason of a failure */
  async act(job: NodeJob, action: NodeJobAction, signal: AbortSignal): Promise<ActionResult> {
    const spec = readUpgradeSpec(job.content);
    switch (action) {
      case NodeJobActions.check:
        return this.#check(job, spec, signal);
      case NodeJobActions.waitingConfirmation:
        return { succeeded: true, waits: spec.requireConfirmation };
      case NodeJobActions.backUp: {
        const { from, to } = await this.#deps.installation.backUp(signal);
        // A copy of what runs changes no version; upstream leaves the first one empty.
        return { succeeded: true, extend: `${from === to ? '' : from},${to}` };
      }
      case NodeJobActions.upgrade:
        return this.#upgrade(job, spec, signal);
      case NodeJobActions.rollBack:
        return this.#rollBack(job, spec, signal);
      default:
        throw taskError(TaskErrors.unknownJob, `a NodeUpgradeJob has no action ${action}`);
    }
  }

  async #check(job: NodeJob, spec: UpgradeSpec, signal: AbortSignal): Promise<ActionResult> {
    const { records, meter, installation, machine } = this.#deps;
    await records.save({ version: 'v1alpha2', job: job.name, node: job.node, value: job.content });
    await demandChecks(spec.checkItems, meter, signal);
    checkVersion(spec.version);
    checkImage(spec.image, spec.version);
    const digest = digestFor(spec.digests, machine);
    await installation.prepare({ version: spec.version, ...(digest === undefined ? {} : { digest }) }, signal);
    return SUCCESS;
  }

  async #upgrade(job: NodeJob, spec: UpgradeSpec, signal: AbortSignal): Promise<ActionResult> {
    const { installation, handOver } = this.#deps;
    checkVersion(spec.version);
    const ready = readySeconds(spec.timeoutSeconds);
    const from = job.row.from_version || (await installation.running());
    // Upstream installs it once more, which comes to the same.
    if (job.row.phase === 'doing' && from === spec.version) return { succeeded: true, extend: `${from},${from}` };
    const expected: Expectation = { action: 'Upgrade', from, wanted: spec.version, limitMs: silenceLimitMs(ready) };
    if (job.row.phase === 'handed') return handedResult(await handOver.settle(expected, signal), installation);
    const order = { version: spec.version, ...(ready === undefined ? {} : { readyTimeoutSeconds: ready }) };
    return handedResult(await handOver.give({ ...job.row, from_version: from }, expected, () => installation.upgrade(order), signal), installation);
  }

  async #rollBack(job: NodeJob, spec: UpgradeSpec, signal: AbortSignal): Promise<ActionResult> {
    const { installation, handOver } = this.#deps;
    const before = job.row.from_version;
    const expected: Expectation = { action: 'RollBack', from: spec.version, wanted: before, limitMs: silenceLimitMs(undefined) };
    const told = await installation.report();
    if (job.row.phase === 'handed' || told?.event === 'Rollback') return handedResult(await handOver.settle(expected, signal), installation);
    const running = await installation.running();
    const plan = planGoBack(before, running);
    if (plan.kind === 'nothing') return { succeeded: true, extend: `${spec.version},${running}` };
    return handedResult(await handOver.give(job.row, expected, () => installation.rollBack({ version: plan.version }), signal), installation);
  }
}
