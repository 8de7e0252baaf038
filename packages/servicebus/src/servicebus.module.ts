import { defineModule, fromPackage, Logger, provide, token, type ModuleDefinition } from '@edge/core';
import manifest from '../package.json' with { type: 'json' };
import { config, type ServicebusConfig } from './config.js';
import { Servicebus } from './servicebus.js';
import { routes } from './routes.js';

const Entry = token<Servicebus>('servicebus', 'Servicebus');

/** The module as the agent registers it. */
export const servicebus: ModuleDefinition<Servicebus, ServicebusConfig> = defineModule({
  ...fromPackage(manifest),
  name: 'servicebus',
  wire: { module: 'servicebus', group: 'servicebus' },
  config,
  routes,
  entry: Entry,
  bindings: (bind) => provide(bind, Entry, Servicebus, { log: Logger }),
});
