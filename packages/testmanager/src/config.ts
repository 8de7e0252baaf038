import { EdgeError, token, type ConfigSlice } from '@edge/core';

/** The slice `modules.testmanager` of the configuration. */
export interface TestmanagerConfig {
  /** Whether the module runs. Default true. */
  readonly enable: boolean;
}

export const TestmanagerConfig = token<TestmanagerConfig>('testmanager', 'TestmanagerConfig');

/** @throws EdgeError `testmanager.config` naming the value and what would be right */
function parse(raw: unknown): TestmanagerConfig {
  const { enable = true } = (raw ?? {}) as { enable?: unknown };
  if (typeof enable !== 'boolean') {
    throw new EdgeError('testmanager.config', `enable is ${JSON.stringify(enable)}, it must be true or false`);
  }
  return { enable };
}

export const config: ConfigSlice<TestmanagerConfig> = { path: 'modules.testmanager', token: TestmanagerConfig, parse };
