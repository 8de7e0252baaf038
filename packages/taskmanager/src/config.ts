import { EdgeError, token, type ConfigSlice, type Token } from '@edge/core';

/** The slice `modules.taskManager`. */
export interface TaskManagerConfig {
  /** Default false, as upstream. */
  readonly enable: boolean;
}

export const TaskManagerConfig: Token<TaskManagerConfig> = token<TaskManagerConfig>('taskmanager', 'TaskManagerConfig');

/** @throws EdgeError `config.invalid` naming the value and what would be right */
function parse(raw: unknown): TaskManagerConfig {
  const { enable = false } = (raw ?? {}) as { enable?: unknown };
  if (typeof enable !== 'boolean') {
    throw new EdgeError('config.invalid', `modules.taskManager.enable is ${JSON.stringify(enable)}, it must be true or false`);
  }
  return { enable };
}

export const config: ConfigSlice<TaskManagerConfig> = { path: 'modules.taskManager', token: TaskManagerConfig, parse };
