import { defineModule, fromPackage, Logger, provide, token, type ModuleDefinition } from '@edge/core';
import manifest from '../package.json' with { type: 'json' };
import { config, type DevicetwinConfig } from './config.js';
import { Devicetwin } from './devicetwin.js';
import { routes } from './routes.js';

const Entry = token<Devicetwin>('devicetwin', 'Devicetwin');

/** The module as the agent registers it. */
export const devicetwin: ModuleDefinition<Devicetwin, DevicetwinConfig> = defineModule({
  ...fromPackage(manifest),
  name: 'devicetwin',
  wire: { module: 'twin', group: 'twin' },
  config,
  routes,
  entry: Entry,
  bindings: (bind) => provide(bind, Entry, Devicetwin, { log: Logger }),
});
