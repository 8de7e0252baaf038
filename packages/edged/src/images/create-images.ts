import type { ContainerRuntime, Logger } from '@edge/core';
import type { ObjectReader } from '../apply/object-reader.js';
import { Credentials } from './credentials.js';
import { Images } from './images.js';
import { PullQueue } from './pull-queue.js';

/** How images are pulled. */
export interface PullRules {
  /** One after the other. */
  readonly serial: boolean;
  /** Side by side at most, when not serial; 0 for no limit. */
  readonly parallel: number;
  /** 0 for no limit. */
  readonly perSecond: number;
  readonly burst: number;
}

export interface CreateImagesInput {
  readonly runtime: ContainerRuntime;
  readonly objects: ObjectReader;
  readonly rootDirectory: string;
  readonly rules: PullRules;
  readonly log: Logger;
}

export function createImages({ runtime, objects, rootDirectory, rules, log }: CreateImagesInput): Images {
  const places = rules.serial ? 1 : rules.parallel || Number.POSITIVE_INFINITY;
  return new Images({
    runtime,
    queue: new PullQueue({ runtime, places, perSecond: rules.perSecond, burst: rules.burst }),
    credentials: new Credentials({ rootDirectory, objects, log }),
  });
}
