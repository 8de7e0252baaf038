import { EdgeError } from '@edge/core';

/** Codes of this package. They are stable: programs may look at them. */
export type EventBusErrorCode =
  /** A message whose resource is no topic, or whose content cannot be published; it will never be otherwise. */
  | 'eventbus.malformed'
  /** A file of users, rules or certificates cannot be read or does not say what it should. */
  | 'eventbus.bad-file'
  /** The embedded broker cannot listen where it should. */
  | 'eventbus.listen'
  /** The external broker cannot be reached, or refuses. */
  | 'eventbus.refused'
  /** The connection to the external broker ended before it had answered. */
  | 'eventbus.broker-lost'
  /** A message was not taken by the device twin or the outbox; its sender is not told that it was. */
  | 'eventbus.not-taken'
  /** A client of the embedded broker broke the protocol or a limit. */
  | 'eventbus.bad-client';

export function eventBusError(code: EventBusErrorCode, message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? {} : { cause });
}
