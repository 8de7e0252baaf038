import { EdgeError } from '@edge/core';

/** Codes of this package. They are stable: programs may look at them. */
export type DeviceTwinErrorCode =
  /** What a device reported could not be stored; reporting it again may help. */
  | 'devicetwin.storage'
  /** A message of the cloud that is not what its resource says; it will never be otherwise. */
  | 'devicetwin.malformed'
  /** A Device or DeviceModel has not the shape that it must have; the text names the member. */
  | 'devicetwin.bad-object'
  /** What metamanager was asked for it could not store or read. */
  | 'devicetwin.objects'
  /** A device cannot be sent to its mapper: `configData` has a list or an object, which mappers cannot read. */
  | 'devicetwin.dmi-nested'
  /** A device cannot be sent to its mapper: it names no model. */
  | 'devicetwin.dmi-no-model-named'
  /** A device cannot be sent to its mapper: its model is not on the node (yet). */
  | 'devicetwin.dmi-no-model'
  /** The socket for mappers cannot be made, or has failed. */
  | 'devicetwin.dmi-socket'
  /** A mapper is told why its call fails. */
  | 'devicetwin.dmi-refused'
  /** What comes from a mapper breaks HTTP/2. */
  | 'devicetwin.dmi-http2';

export function deviceTwinError(code: DeviceTwinErrorCode, message: string, cause?: unknown): EdgeError {
  return new EdgeError(code, message, cause === undefined ? {} : { cause });
}
