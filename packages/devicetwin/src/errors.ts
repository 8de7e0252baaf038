import { EdgeError } from '@edge/core';

/** Codes of this package. They are stable: programs may look at them. */
export type DeviceTwinErrorCode =
  /** What a device reported could not be stored; reporting it again may help. */
  | 'devicetwin.storage'
  /** A message of the cloud that is not what its resource says; it will never be otherwise. */
  | 'devicetwin.malformed';

export function deviceTwinError(code: DeviceTwinErrorCode, message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? {} : { cause });
}
