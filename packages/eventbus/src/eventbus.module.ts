import { defineModule, fromPackage, Logger, provide, token, type ModuleDefinition } from '@edge/core';
import manifest from '../package.json' with { type: 'json' };
import { config, type EventbusConfig } from './config.js';
import { Eventbus } from './eventbus.js';
import { routes } from './routes.js';

const Entry = token<Eventbus>('eventbus', 'Eventbus');

/** The module as the agent registers it. */
export const eventbus: ModuleDefinition<Eventbus, EventbusConfig> = defineModule({
  ...fromPackage(manifest),
  name: 'eventbus',
  wire: { module: 'eventbus', group: 'bus' },
  config,
  routes,
  entry: Entry,
  bindings: (bind) => provide(bind, Entry, Eventbus, { log: Logger }),
});
