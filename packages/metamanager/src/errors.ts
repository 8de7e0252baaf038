import { EdgeError } from '@edge/core';

/** Codes of this package. They are stable: programs may look at them. */
export type MetaManagerErrorCode =
  /** A message whose resource or content is not what its type says; it will never be otherwise. */
  | 'metamanager.malformed'
  /** The cloud is needed and the link is down. */
  | 'metamanager.offline'
  /** A change of a device that this node does not have. */
  | 'metamanager.not-here'
  /** A change of a device that was made of an older state than the stored one. */
  | 'metamanager.outdated'
  /** The file with the key of stored service account tokens cannot be read or made, is damaged, or was open to others. */
  | 'metamanager.token-key';

export function metaManagerError(code: MetaManagerErrorCode, message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? {} : { cause });
}
