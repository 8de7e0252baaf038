import { EdgeError } from '@edge/core';

/** Codes of this package: what each one means. */
export const EdgeStreamErrors = {
  /** The node's kubelet API is switched off, or what says where it is makes no sense. */
  noKubelet: 'edgestream.no-kubelet',
} as const;

export function edgeStreamError(code: (typeof EdgeStreamErrors)[keyof typeof EdgeStreamErrors], message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? undefined : { cause });
}
