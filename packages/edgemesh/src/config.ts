import { EdgeError, token, type ConfigSlice } from '@edge/core';

/** The slice `modules.edgemesh` of the configuration. */
export interface EdgemeshConfig {
  /** Whether the module runs. Default true. */
  readonly enable: boolean;
}

export const EdgemeshConfig = token<EdgemeshConfig>('edgemesh', 'EdgemeshConfig');

/** @throws EdgeError `edgemesh.config` naming the value and what would be right */
function parse(raw: unknown): EdgemeshConfig {
  const { enable = true } = (raw ?? {}) as { enable?: unknown };
  if (typeof enable !== 'boolean') {
    throw new EdgeError('edgemesh.config', `enable is ${JSON.stringify(enable)}, it must be true or false`);
  }
  return { enable };
}

export const config: ConfigSlice<EdgemeshConfig> = { path: 'modules.edgemesh', token: EdgemeshConfig, parse };
