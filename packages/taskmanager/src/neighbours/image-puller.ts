import { errorText, isAbort, sleep, type MessageBus } from '@edge/core';
import { createMessage, Groups, Modules, Operations } from '@edge/protocol';
import { taskError, TaskErrors } from '../errors.js';
import type { PulledImage } from '../reports/images.js';

/** A pull ends by itself: edged gives up one that does not move. */
const PATIENCE_MS = 24 * 3600 * 1000;
/** Upstream's pause between rounds. */
const ROUND_MS = 500;

export interface PullOrder {
  readonly images: readonly string[];
  /** `namespace/name` of the pull secret; empty: the node's own credentials alone. */
  readonly secret: string;
  /** Rounds after the first, each for what is still missing. */
  readonly retryTimes: number;
}

/** Has edged pull images. */
export class ImagePuller {
  readonly #bus: MessageBus;

  constructor(deps: { bus: MessageBus }) {
    this.#bus = deps.bus;
  }

  /** How each image came out, in the order of the job. */
  async pull({ images, secret, retryTimes }: PullOrder, signal: AbortSignal): Promise<readonly PulledImage[]> {
    const reasons = new Map<string, string | undefined>();
    for (let round = 0; round <= retryTimes; round += 1) {
      if (round > 0) await sleep(ROUND_MS, signal);
      for (const image of new Set(images)) {
        if (!reasons.has(image) || reasons.get(image) !== undefined) reasons.set(image, await this.#one(image, secret, signal));
      }
      if ([...reasons.values()].every((reason) => reason === undefined)) break;
    }
    return images.map((image) => {
      const reason = reasons.get(image);
      return reason === undefined ? { image } : { image, reason };
    });
  }

  /** Why it is not there; undefined: it is. */
  async #one(image: string, secret: string, signal: AbortSignal): Promise<string | undefined> {
    const content = secret === '' ? { image } : { image, secret };
    const order = createMessage({ source: Modules.taskManager, group: Groups.edged, operation: Operations.update, resource: 'images/pull', content });
    try {
      const { route, content: answer } = await this.#bus.request({ module: Modules.edged }, order, { timeoutMs: PATIENCE_MS, signal });
      if (route.operation === Operations.error) throw taskError(TaskErrors.refused, String(answer));
      return undefined;
    } catch (error) {
      if (isAbort(error)) throw error;
      return errorText(error);
    }
  }
}
