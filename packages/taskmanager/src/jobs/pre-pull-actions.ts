import { NodeJobActions, type NodeJobAction } from '@edge/protocol';
import type { LoadMeter } from '../checks/check-items.js';
import { demandChecks } from '../checks/demand-checks.js';
import { taskError, TaskErrors } from '../errors.js';
import type { ImagePuller } from '../neighbours/image-puller.js';
import { imageStatuses } from '../reports/images.js';
import { readPrePullSpec } from '../specs/specs.js';
import { SUCCESS, type ActionResult } from './action-result.js';
import type { NodeJob } from './node-job.js';

/** The actions of an ImagePrePullJob. */
export class PrePullActions {
  readonly #meter: LoadMeter;
  readonly #puller: ImagePuller;

  constructor(deps: { meter: LoadMeter; puller: ImagePuller }) {
    this.#meter = deps.meter;
    this.#puller = deps.puller;
  }

  /** @throws what stands in the job as the reason of a failure */
  async act({ content }: NodeJob, action: NodeJobAction, signal: AbortSignal): Promise<ActionResult> {
    const spec = readPrePullSpec(content);
    switch (action) {
      case NodeJobActions.check:
        await demandChecks(spec.checkItems, this.#meter, signal);
        return SUCCESS;
      case NodeJobActions.pull: {
        const images = await this.#puller.pull(spec, signal);
        const failed = images.filter(({ reason }) => reason !== undefined).length;
        const reason = failed === 0 ? '' : `${failed} of ${images.length} images could not be pulled`;
        return { succeeded: failed === 0, reason, extend: imageStatuses(images) };
      }
      default:
        throw taskError(TaskErrors.unknownJob, `an ImagePrePullJob has no action ${action}`);
    }
  }
}
