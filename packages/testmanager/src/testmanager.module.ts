import { defineModule, fromPackage, Logger, MessageBus, provide, token, type Bind, type ModuleDefinition } from '@edge/core';
import { Modules } from '@edge/protocol';
import manifest from '../package.json' with { type: 'json' };
import { config, TestManagerConfig } from './config.js';
import { TestManager, TestManagerEntry } from './testmanager.js';

const Log = token<Logger>('testmanager', 'Logger');

function bindings(bind: Bind): void {
  bind(Log).toResolvedValue((log: Logger) => log.named('testmanager'), [Logger]);
  provide(bind, TestManagerEntry, TestManager, { config: TestManagerConfig, bus: MessageBus, log: Log });
}

/** The module as a value: register it with `core`. */
export const testmanager: ModuleDefinition<TestManager, TestManagerConfig> = defineModule<TestManager, TestManagerConfig>({
  ...fromPackage(manifest),
  name: 'testmanager',
  // A group of its own: in upstream's group `meta` it would get copies of what is for metamanager, and be waited for.
  wire: { module: Modules.testManager, group: Modules.testManager },
  config,
  routes: [],
  entry: TestManagerEntry,
  bindings,
});
