import { defineModule, fromPackage, Logger, provide, token, type ModuleDefinition } from '@edge/core';
import manifest from '../package.json' with { type: 'json' };
import { config, type EdgemeshConfig } from './config.js';
import { Edgemesh } from './edgemesh.js';
import { routes } from './routes.js';

const Entry = token<Edgemesh>('edgemesh', 'Edgemesh');

/** The module as the agent registers it. */
export const edgemesh: ModuleDefinition<Edgemesh, EdgemeshConfig> = defineModule({
  ...fromPackage(manifest),
  name: 'edgemesh',
  wire: { module: 'edgemesh', group: 'edgemesh' },
  config,
  routes,
  entry: Entry,
  bindings: (bind) => provide(bind, Entry, Edgemesh, { log: Logger }),
});
