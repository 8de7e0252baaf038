import { EdgeError, token, type ConfigSlice } from '@edge/core';

/** The slice `modules.eventbus` of the configuration. */
export interface EventbusConfig {
  /** Whether the module runs. Default true. */
  readonly enable: boolean;
}

export const EventbusConfig = token<EventbusConfig>('eventbus', 'EventbusConfig');

/** @throws EdgeError `eventbus.config` naming the value and what would be right */
function parse(raw: unknown): EventbusConfig {
  const { enable = true } = (raw ?? {}) as { enable?: unknown };
  if (typeof enable !== 'boolean') {
    throw new EdgeError('eventbus.config', `enable is ${JSON.stringify(enable)}, it must be true or false`);
  }
  return { enable };
}

export const config: ConfigSlice<EventbusConfig> = { path: 'modules.eventbus', token: EventbusConfig, parse };
