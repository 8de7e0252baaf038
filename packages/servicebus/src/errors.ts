import { EdgeError } from '@edge/core';

/** Codes of this package. They are stable: programs may look at them. */
export type ServiceBusErrorCode =
  /** A message of the router names no port and path, or holds no HTTP request. */
  | 'servicebus.bad-call'
  /** The call is for a port or path that rules may not reach on this node. */
  | 'servicebus.not-allowed'
  /** The service cannot be reached; it got nothing of the request. */
  | 'servicebus.unreachable'
  /** The service may have got the request and did not answer: the time was over, or the connection broke. */
  | 'servicebus.no-answer'
  /** The service began its answer and did not finish it. */
  | 'servicebus.broken-answer'
  /** The answer of the service is larger than what can be passed on. */
  | 'servicebus.answer-too-large'
  /** As much is under way already as there may be at a time. */
  | 'servicebus.busy'
  /** The local server cannot listen where it should. */
  | 'servicebus.listen'
  /** The token of the local server cannot be made, read, or trusted. */
  | 'servicebus.token';

/** What the caller in the cloud gets for each code that a call can end with. Upstream's: 400, 404 and 500. */
export const CALL_STATUS = {
  'servicebus.bad-call': 400,
  'servicebus.not-allowed': 403,
  'servicebus.unreachable': 404,
  'servicebus.no-answer': 404,
  'servicebus.broken-answer': 500,
  'servicebus.answer-too-large': 502,
  'servicebus.busy': 503,
} as const satisfies Partial<Record<ServiceBusErrorCode, number>>;

export function serviceBusError(code: ServiceBusErrorCode, message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? {} : { cause });
}
