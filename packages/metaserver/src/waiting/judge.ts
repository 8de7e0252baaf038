import { isApiError } from '@edge/kubeapi';
import { errorCode, errorText } from '@edge/core';
import { isOutage } from '../cloud/cloud-api.js';
import type { Result, WaitingRow } from './waiting-queue.js';

/** Reasons for which the same may succeed a little later. */
const PASSING = new Set(['TooManyRequests', 'ServiceUnavailable', 'Timeout', 'ServerTimeout', 'InternalError']);
/** An answer that cannot be read, and a failure inside the cloud, may be for ever. */
const MOST_TRIES = 20;

/** What to do with a change after the cloud failed to make it. */
export type Judgement = { readonly kind: 'later'; readonly why: string } | { readonly kind: 'over'; readonly result: Result };

/**
 * @param verb of the change
 * @param row the change, with this try counted
 * @param error what asking the cloud threw
 */
export function judge(verb: string, row: Pick<WaitingRow, 'tries'>, error: unknown): Judgement {
  const why = errorText(error);
  if (isOutage(error) && (errorCode(error) !== 'metaserver.malformed' || row.tries < MOST_TRIES)) return { kind: 'later', why };
  if (!isApiError(error)) return over('Refused', 500, 'InternalError', why);
  const { reason, httpStatus, message } = error;
  if (PASSING.has(reason) && row.tries < MOST_TRIES) return { kind: 'later', why };
  // An earlier try may have reached the cloud although its answer never came back.
  const isRepeated = row.tries > 1;
  if (isRepeated && ((verb === 'create' && reason === 'AlreadyExists') || (verb === 'delete' && reason === 'NotFound'))) {
    return over('Done', 200, '', `an earlier try had reached the cloud, or somebody else was faster: ${message}`);
  }
  const doubt = isRepeated && reason === 'Conflict' ? ' (an earlier try may have reached the cloud)' : '';
  return over('Refused', httpStatus, reason, `${message}${doubt}`);
}

function over(phase: Result['phase'], code: number, reason: string, message: string): Judgement {
  return { kind: 'over', result: { phase, code, reason, message } };
}
