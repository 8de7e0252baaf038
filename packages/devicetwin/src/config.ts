import { EdgeError, token, type ConfigSlice } from '@edge/core';

/** The slice `modules.devicetwin` of the configuration. */
export interface DevicetwinConfig {
  /** Whether the module runs. Default true. */
  readonly enable: boolean;
}

export const DevicetwinConfig = token<DevicetwinConfig>('devicetwin', 'DevicetwinConfig');

/** @throws EdgeError `devicetwin.config` naming the value and what would be right */
function parse(raw: unknown): DevicetwinConfig {
  const { enable = true } = (raw ?? {}) as { enable?: unknown };
  if (typeof enable !== 'boolean') {
    throw new EdgeError('devicetwin.config', `enable is ${JSON.stringify(enable)}, it must be true or false`);
  }
  return { enable };
}

export const config: ConfigSlice<DevicetwinConfig> = { path: 'modules.devicetwin', token: DevicetwinConfig, parse };
