import { parseNodeJob } from '@edge/protocol';
import type { JobRow } from '../records/job-rows.js';

/** A job of v1alpha2 under way. */
export interface NodeJob {
  readonly name: string;
  readonly node: string;
  /** The spec, as it came. */
  readonly content: unknown;
  readonly row: JobRow;
}

/** @throws SyntaxError when the row was damaged */
export function nodeJob(row: JobRow): NodeJob {
  const { job, node } = parseNodeJob(row.resource);
  return { name: job, node, content: JSON.parse(row.content) as unknown, row };
}
