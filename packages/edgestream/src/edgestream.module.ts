import { defineModule, fromPackage, Logger, MessageBus, NodeCredentials, NodeIdentity, provide, token, type Bind, type ModuleDefinition } from '@edge/core';
import { Groups, Modules } from '@edge/protocol';
import manifest from '../package.json' with { type: 'json' };
import { config, EdgeStreamConfig } from './config.js';
import { EdgeStream } from './edgestream.js';
import { routes } from './routes.js';

const Entry = token<EdgeStream>('edgestream', 'EdgeStream');
const Log = token<Logger>('edgestream', 'Logger');

function bindings(bind: Bind): void {
  bind(Log).toResolvedValue((log: Logger) => log.named('edgestream'), [Logger]);
  provide(bind, Entry, EdgeStream, { config: EdgeStreamConfig, identity: NodeIdentity, credentials: NodeCredentials, bus: MessageBus, log: Log });
}

/** The module as a value: register it with `core`. */
export const edgestream: ModuleDefinition<EdgeStream, EdgeStreamConfig> = defineModule<EdgeStream, EdgeStreamConfig>({
  ...fromPackage(manifest),
  name: 'edgestream',
  wire: { module: Modules.edgeStream, group: Groups.edgeStream },
  config,
  // It asks edged where to go, and edgehub for certificates; it waits for both by itself.
  after: [],
  routes,
  entry: Entry,
  bindings,
});
