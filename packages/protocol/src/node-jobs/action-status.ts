import { isFields } from '../data.js';

/** What a node says of one action of a job; members in the order of the wire. */
export interface ActionStatus {
  readonly action: string;
  readonly succ: boolean;
  /** RFC 3339 in whole seconds, or empty. */
  readonly finishTime: string;
  /** Why it failed; empty after success. */
  readonly reason: string;
  /** `from,to` of versions, or the list of images as JSON text; empty where there is nothing to add. */
  readonly extend: string;
}

/** How an image of a pre-pull job came out, as it stands in `extend`; `reason` only with `False`. */
export interface ImageStatus {
  readonly image: string;
  readonly status: 'True' | 'False';
  readonly reason?: string;
}

/** The content as an action's status; undefined when it is none. Missing texts are empty, as Go reads them. */
export function readActionStatus(content: unknown): ActionStatus | undefined {
  if (!isFields(content)) return undefined;
  const { action, succ = false, finishTime = '', reason = '', extend = '' } = content;
  const isOne = typeof action === 'string' && typeof succ === 'boolean' && [finishTime, reason, extend].every((text) => typeof text === 'string');
  return isOne ? { action, succ, finishTime: finishTime as string, reason: reason as string, extend: extend as string } : undefined;
}
