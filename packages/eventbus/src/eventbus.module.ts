import { defineModule, fromPackage, Logger, MessageBus, NodeIdentity, provide, Store, type ModuleDefinition } from '@edge/core';
import { Groups, Modules } from '@edge/protocol';
import manifest from '../package.json' with { type: 'json' };
import { CONFIG_PATH, EventBusConfig, parseEventBusConfig } from './config.js';
import { EventBus, EventBusEntry } from './eventbus.js';
import { routes } from './routes.js';

/** The module as a value: register it with `core`. */
export const eventbus: ModuleDefinition<EventBus, EventBusConfig> = defineModule<EventBus, EventBusConfig>({
  ...fromPackage(manifest),
  name: 'eventbus',
  wire: { module: Modules.eventBus, group: Groups.bus },
  config: { path: CONFIG_PATH, token: EventBusConfig, parse: parseEventBusConfig },
  routes,
  entry: EventBusEntry,
  bindings: (bind) => provide(bind, EventBusEntry, EventBus, { config: EventBusConfig, bus: MessageBus, store: Store, identity: NodeIdentity, log: Logger }),
});
