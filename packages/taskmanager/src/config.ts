import { EdgeError, token, type ConfigSlice } from '@edge/core';

/** The slice `modules.taskmanager` of the configuration. */
export interface TaskmanagerConfig {
  /** Whether the module runs. Default true. */
  readonly enable: boolean;
}

export const TaskmanagerConfig = token<TaskmanagerConfig>('taskmanager', 'TaskmanagerConfig');

/** @throws EdgeError `taskmanager.config` naming the value and what would be right */
function parse(raw: unknown): TaskmanagerConfig {
  const { enable = true } = (raw ?? {}) as { enable?: unknown };
  if (typeof enable !== 'boolean') {
    throw new EdgeError('taskmanager.config', `enable is ${JSON.stringify(enable)}, it must be true or false`);
  }
  return { enable };
}

export const config: ConfigSlice<TaskmanagerConfig> = { path: 'modules.taskmanager', token: TaskmanagerConfig, parse };
