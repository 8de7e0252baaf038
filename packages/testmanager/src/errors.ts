import { EdgeError } from '@edge/core';

/** Codes of this package. They are stable: programs may look at them. */
export type TestManagerErrorCode =
  /** The port cannot be had. */
  | 'testmanager.listen'
  /** A request holds something else than its path takes. */
  | 'testmanager.bad-request'
  /** The node's kubelet API is not there. */
  | 'testmanager.no-kubelet';

export function testManagerError(code: TestManagerErrorCode, message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? {} : { cause });
}
