import { defineModule, fromPackage, Logger, provide, token, type ModuleDefinition } from '@edge/core';
import manifest from '../package.json' with { type: 'json' };
import { config, type TaskmanagerConfig } from './config.js';
import { Taskmanager } from './taskmanager.js';
import { routes } from './routes.js';

const Entry = token<Taskmanager>('taskmanager', 'Taskmanager');

/** The module as the agent registers it. */
export const taskmanager: ModuleDefinition<Taskmanager, TaskmanagerConfig> = defineModule({
  ...fromPackage(manifest),
  name: 'taskmanager',
  wire: { module: 'taskmanager', group: 'taskmanager' },
  config,
  routes,
  entry: Entry,
  bindings: (bind) => provide(bind, Entry, Taskmanager, { log: Logger }),
});
