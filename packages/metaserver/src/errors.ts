import { EdgeError } from '@edge/core';

/** Codes of this package. They are stable: programs may look at them. */
export type MetaServerErrorCode =
  /** The cloud is needed and the link is down or broke. */
  | 'metaserver.offline'
  /** The cloud did not answer in time. */
  | 'metaserver.silent'
  /** The cloud's answer is not one. */
  | 'metaserver.malformed'
  /** The address cannot be listened on; tried again. */
  | 'metaserver.listen-failed'
  /** metamanager did not give its objects. */
  | 'metaserver.no-objects'
  /** A stored serving certificate cannot be used. */
  | 'metaserver.bad-certificate'
  /** The cloud gave no serving certificate. */
  | 'metaserver.no-certificate'
  /** The link for the pods' address cannot be made. */
  | 'metaserver.dummy-link'
  /** The address to listen on would be open to everybody. */
  | 'metaserver.open-port';

/** Why nobody asks the cloud while there is no link. */
export const OFFLINE = 'the node is not connected to the cloud';

export function metaServerError(code: MetaServerErrorCode, message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? {} : { cause });
}
