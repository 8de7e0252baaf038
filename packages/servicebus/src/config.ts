import { EdgeError, token, type ConfigSlice } from '@edge/core';

/** The slice `modules.servicebus` of the configuration. */
export interface ServicebusConfig {
  /** Whether the module runs. Default true. */
  readonly enable: boolean;
}

export const ServicebusConfig = token<ServicebusConfig>('servicebus', 'ServicebusConfig');

/** @throws EdgeError `servicebus.config` naming the value and what would be right */
function parse(raw: unknown): ServicebusConfig {
  const { enable = true } = (raw ?? {}) as { enable?: unknown };
  if (typeof enable !== 'boolean') {
    throw new EdgeError('servicebus.config', `enable is ${JSON.stringify(enable)}, it must be true or false`);
  }
  return { enable };
}

export const config: ConfigSlice<ServicebusConfig> = { path: 'modules.servicebus', token: ServicebusConfig, parse };
