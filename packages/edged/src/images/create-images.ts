import type { ContainerRuntime, Logger } from '@edge/core';
import type { ObjectReader } from '../apply/object-reader.js';
import { Credentials } from './credentials.js';
import { Images } from './images.js';
import { OrderedPulls } from './ordered-pulls.js';
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

/** Two ways to the same queue. */
export interface ImagePulling {
  /** For containers. */
  readonly images: Images;
  /** For jobs. */
  readonly ordered: OrderedPulls;
}

export function createImagePulling({ runtime, objects, rootDirectory, rules, log }: CreateImagesInput): ImagePulling {
  const places = rules.serial ? 1 : rules.parallel || Number.POSITIVE_INFINITY;
  const queue = new PullQueue({ runtime, places, perSecond: rules.perSecond, burst: rules.burst });
  const credentials = new Credentials({ rootDirectory, objects, log });
  return { images: new Images({ runtime, queue, credentials }), ordered: new OrderedPulls({ runtime, queue, credentials }) };
}
