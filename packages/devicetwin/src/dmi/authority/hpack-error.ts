import { EdgeError } from '@edge/core';
import type { DeviceTwinErrorCode } from '../../errors.js';

/** Bytes that break HTTP/2. The connection cannot go on. */
export class HpackError extends EdgeError {
  constructor(text: string) {
    super('devicetwin.dmi-http2' satisfies DeviceTwinErrorCode, text);
  }
}
