/** Every error code of this package. */
export const MapperErrors = {
  /** An option, a flag or a key of the configuration file is missing or wrong. */
  badOptions: 'mapper.bad-options',
  /** A device or a model that EdgeCore sent cannot be used. */
  badDevice: 'mapper.bad-device',
  /** A setting of a device's protocol or of a property's visitor is missing or of another type. */
  badSetting: 'mapper.bad-setting',
  /** A value is none of the property's type. */
  badValue: 'mapper.bad-value',
  /** A value is below the model's minimum or above its maximum. */
  outOfRange: 'mapper.out-of-range',
  /** A value for a property that the model says is read only, or that the driver cannot write. */
  readOnly: 'mapper.read-only',
  /** The mapper has no such device. */
  unknownDevice: 'mapper.unknown-device',
  /** The device has no such property. */
  unknownProperty: 'mapper.unknown-property',
  /** The device has no such method, or the method is not for this property. */
  unknownMethod: 'mapper.unknown-method',
  /** The device could not be reached; its driver is being started again. */
  deviceAway: 'mapper.device-away',
  /** The driver threw. */
  driverFailed: 'mapper.driver-failed',
  /** The driver did not answer in time. */
  driverTimeout: 'mapper.driver-timeout',
  /** Another program serves at the mapper's socket. */
  socketInUse: 'mapper.socket-in-use',
  /** Something that is no socket is at the path of the mapper's socket, or the path cannot be one. */
  badSocket: 'mapper.bad-socket',
  /** The port of the HTTP server is taken. */
  portInUse: 'mapper.port-in-use',
  /** Nobody answers at EdgeCore's socket. */
  edgeCoreAway: 'mapper.edgecore-away',
  /** EdgeCore answered with an error. */
  edgeCoreRefused: 'mapper.edgecore-refused',
  /** EdgeCore does not take a value or a state as it is; it took the other values of the report. */
  reportRefused: 'mapper.report-refused',
  /** The target of a push method did not take a value. */
  pushFailed: 'mapper.push-failed',
  /** A push method needs an npm package that is not installed. */
  missingPackage: 'mapper.missing-package',
  /** The mapper was stopped meanwhile. */
  stopped: 'mapper.stopped',
} as const;

export type MapperErrorCode = (typeof MapperErrors)[keyof typeof MapperErrors];

/** What this package throws. Recognise it by its stable `code`, never by its class. */
export class MapperError extends Error {
  override readonly name = 'MapperError';
  readonly code: MapperErrorCode;

  constructor(code: MapperErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The code of a thrown value: ours, Node's (`ECONNREFUSED`), or undefined. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** One line for people: the message and the messages of its causes. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message || codeOf(error) || error.name;
  if (error.cause === undefined) return own;
  const cause = errorText(error.cause);
  return own.includes(cause) ? own : `${own}: ${cause}`;
}
