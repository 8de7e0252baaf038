import { EdgeError } from '@edge/core';

/** Codes of this package: what each one means. */
export const TunnelErrors = {
  /** The cloud's end could not be reached or refused the tunnel. */
  dial: 'tunnel.dial',
  /** The tunnel has ended, and what went through it with it. */
  ended: 'tunnel.ended',
  /** What came for a session was not taken out for too long. */
  stuck: 'tunnel.stuck',
} as const;

export type TunnelErrorCode = (typeof TunnelErrors)[keyof typeof TunnelErrors];

export function tunnelError(code: TunnelErrorCode, message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? undefined : { cause });
}
