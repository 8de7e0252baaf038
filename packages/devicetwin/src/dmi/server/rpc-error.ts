import { status } from '@grpc/grpc-js';
import { EdgeError, errorText } from '@edge/core';
import type { DeviceTwinErrorCode } from '../../errors.js';

/** An error that a caller is to see, with its gRPC code. Upstream's own errors are all `UNKNOWN`. */
export class RpcError extends EdgeError {
  readonly status: status;

  constructor(status: status, text: string) {
    super('devicetwin.dmi-refused' satisfies DeviceTwinErrorCode, text);
    this.status = status;
  }
}

/** What goes over the wire for anything that a handler throws. */
export function wireError(error: unknown): { readonly code: status; readonly details: string } {
  return { code: error instanceof RpcError ? error.status : status.UNKNOWN, details: errorText(error) };
}
