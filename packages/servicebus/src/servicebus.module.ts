import { CloudLink, defineModule, fromPackage, Logger, MessageBus, provide, Store, token, type Bind, type ModuleDefinition } from '@edge/core';
import { Groups, Modules } from '@edge/protocol';
import manifest from '../package.json' with { type: 'json' };
import { config, ServiceBusConfig } from './config.js';
import { routes } from './routes.js';
import { ServiceBus, ServiceBusEntry } from './servicebus.js';

const Log = token<Logger>('servicebus', 'Logger');

function bindings(bind: Bind): void {
  bind(Log).toResolvedValue((log: Logger) => log.named('servicebus'), [Logger]);
  provide(bind, ServiceBusEntry, ServiceBus, { config: ServiceBusConfig, bus: MessageBus, store: Store, link: CloudLink, log: Log });
}

/** The module as a value: register it with `core`. */
export const servicebus: ModuleDefinition<ServiceBus, ServiceBusConfig> = defineModule<ServiceBus, ServiceBusConfig>({
  ...fromPackage(manifest),
  name: 'servicebus',
  wire: { module: Modules.serviceBus, group: Groups.bus },
  config,
  routes,
  entry: ServiceBusEntry,
  bindings,
});
