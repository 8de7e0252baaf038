import { CloudLinkWriter, DeadLetters, defineModule, Logger, MessageBus, NodeCredentialsWriter, NodeIdentity, provide, Store, type ModuleDefinition } from '@edge/core';
import { Groups, Modules } from '@edge/protocol';
import { CONFIG_PATH, EdgeHubConfig, parseEdgeHubConfig } from './config.js';
import { EdgeHub } from './edgehub.js';
import { routes } from './routes.js';
import { EdgeHubEntry, TokenStore } from './tokens.js';
import { REQUIRES, VERSION } from './version.js';

/** A burst of that many messages finds a place before senders have to wait. */
const LANE_CAPACITY = 4096;

export const edgehub: ModuleDefinition<EdgeHub, EdgeHubConfig> = defineModule<EdgeHub, EdgeHubConfig>({
  name: 'edgehub',
  packageName: '@edge/edgehub',
  version: VERSION,
  requires: REQUIRES,
  wire: { module: Modules.edgeHub, group: Groups.hub },
  config: { path: CONFIG_PATH, token: EdgeHubConfig, parse: parseEdgeHubConfig },
  laneCapacity: LANE_CAPACITY,
  routes,
  entry: EdgeHubEntry,
  bindings: (bind) => {
    provide(bind, EdgeHubEntry, EdgeHub, {
      config: EdgeHubConfig,
      bus: MessageBus,
      link: CloudLinkWriter,
      credentials: NodeCredentialsWriter,
      store: Store,
      identity: NodeIdentity,
      tokens: TokenStore,
      deadLetters: DeadLetters,
      log: Logger,
    });
  },
});
