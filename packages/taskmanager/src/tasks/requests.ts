import type { NodeTaskRequest } from '@edge/protocol';
import { taskError, TaskErrors } from '../errors.js';
import { SpecReader } from '../specs/read.js';

/** Resource of a request, `<type>/<job>/node/<node>`: what it says the request says again. */
const RESOURCE = /^[^/]+\/[^/]+\/node\/[^/]+$/;

/** @throws EdgeError `taskmanager.unknown-job`, `taskmanager.bad-spec` */
export function readTaskRequest(resource: string, content: unknown): NodeTaskRequest {
  if (!RESOURCE.test(resource)) throw taskError(TaskErrors.unknownJob, `resource "${resource.slice(0, 200)}" is not <type>/<job>/node/<node>`);
  const request = new SpecReader(content, 'the request');
  const TaskID = request.text('TaskID');
  if (TaskID === '') throw taskError(TaskErrors.badSpec, 'the request.TaskID is empty, so nobody could be told what came of it');
  return { TaskID, Type: request.text('Type'), State: request.text('State'), Item: request.raw('Item') };
}

/** What an upgrade of v1alpha1 wants. */
export interface TaskUpgrade {
  readonly id: string;
  readonly version: string;
  /** Whole reference of upstream's installation image. */
  readonly image: string;
  readonly digest: string;
  readonly requireConfirmation: boolean;
}

/** @throws EdgeError `taskmanager.bad-spec` */
export function readTaskUpgrade(item: unknown): TaskUpgrade {
  const reader = new SpecReader(item, 'Item');
  return {
    id: reader.text('UpgradeID'),
    version: reader.text('Version'),
    image: reader.text('Image'),
    digest: reader.text('ImageDigest'),
    requireConfirmation: reader.flag('RequireConfirmation'),
  };
}

/** @throws EdgeError `taskmanager.bad-spec` */
export function readTaskPull(item: unknown): { images: readonly string[]; secret: string; retryTimes: number } {
  const reader = new SpecReader(item, 'Item');
  return { images: reader.texts('Images'), secret: reader.text('Secret'), retryTimes: reader.count('RetryTimes') };
}

/** @throws EdgeError `taskmanager.bad-spec` */
export function readTaskChecks(item: unknown): readonly string[] {
  return new SpecReader(item, 'Item').texts('CheckItem');
}
