import { EdgeError } from '@edge/core';

/** Codes of this package: what each one means and what to do about it. */
export const MinicloudErrors = {
  /** The data folder holds a certificate authority that cannot be read. */
  authorityUnreadable: 'minicloud.authority-unreadable',
  /** A certificate request is not one, or its signature does not fit its key. */
  badRequest: 'minicloud.bad-certificate-request',
  /** A port could not be opened. */
  listenFailed: 'minicloud.listen-failed',
  /** Another cloud side works in the same data folder. */
  dataInUse: 'minicloud.data-in-use',
  /** What a node sent is not what its kind of message holds. */
  badContent: 'minicloud.bad-content',
  /** A node asked for something of the API that cannot be done for it; the message is what the node reads. */
  notDone: 'minicloud.not-done',
  /** An option of the program is wrong. */
  badOption: 'minicloud.bad-option',
} as const;

export type MinicloudErrorCode = (typeof MinicloudErrors)[keyof typeof MinicloudErrors];

export function minicloudError(code: MinicloudErrorCode, message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? undefined : { cause });
}
