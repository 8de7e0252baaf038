import { defineModule, fromPackage, Logger, provide, token, type ModuleDefinition } from '@edge/core';
import manifest from '../package.json' with { type: 'json' };
import { config, type TestmanagerConfig } from './config.js';
import { Testmanager } from './testmanager.js';
import { routes } from './routes.js';

const Entry = token<Testmanager>('testmanager', 'Testmanager');

/** The module as the agent registers it. */
export const testmanager: ModuleDefinition<Testmanager, TestmanagerConfig> = defineModule({
  ...fromPackage(manifest),
  name: 'testmanager',
  wire: { module: 'testmanager', group: 'testmanager' },
  config,
  routes,
  entry: Entry,
  bindings: (bind) => provide(bind, Entry, Testmanager, { log: Logger }),
});
