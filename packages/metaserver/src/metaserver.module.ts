import { CloudLink, defineModule, FeatureGates, fromPackage, Logger, MessageBus, NodeIdentity, provide, Store, token, type Bind, type ModuleDefinition } from '@edge/core';
import { Sources } from '@edge/protocol';
import manifest from '../package.json' with { type: 'json' };
import { Documents } from './api/documents.js';
import { CloudApi } from './cloud/cloud-api.js';
import { CloudReader } from './cloud/cloud-reader.js';
import { Follower } from './cloud/follower.js';
import { config, MetaServerConfig } from './config.js';
import { Feed } from './copy/feed.js';
import { MetaServer, MetaServerEntry } from './metaserver.js';
import { routes } from './routes.js';
import { TypeCatalog } from './types/catalog.js';

const own = <T>(name: string) => token<T>('metaserver', name);
const Log = own<Logger>('Logger');
const Catalog = own<TypeCatalog>('TypeCatalog');
const CloudWay = own<CloudApi>('CloudApi');
const Objects = own<Feed>('Feed');
const Reading = own<CloudReader>('CloudReader');
const Following = own<Follower>('Follower');
const Docs = own<Documents>('Documents');

function bindings(bind: Bind): void {
  bind(Log).toResolvedValue((log: Logger) => log.named('metaserver'), [Logger]);
  provide(bind, Catalog, TypeCatalog, {});
  provide(bind, CloudWay, CloudApi, { bus: MessageBus, link: CloudLink, identity: NodeIdentity });
  provide(bind, Objects, Feed, { bus: MessageBus, log: Log });
  provide(bind, Reading, CloudReader, { cloud: CloudWay, feed: Objects, catalog: Catalog });
  provide(bind, Following, Follower, { cloud: CloudWay, reader: Reading, link: CloudLink, log: Log });
  provide(bind, Docs, Documents, { bus: MessageBus, cloud: CloudWay, catalog: Catalog, log: Log });
  provide(bind, MetaServerEntry, MetaServer, {
    config: MetaServerConfig,
    gates: FeatureGates,
    store: Store,
    bus: MessageBus,
    link: CloudLink,
    log: Log,
    catalog: Catalog,
    documents: Docs,
    feed: Objects,
    cloud: CloudWay,
    reader: Reading,
    follower: Following,
  });
}

/** The module as a value: register it with `core`. */
export const metaserver: ModuleDefinition<MetaServer, MetaServerConfig> = defineModule<MetaServer, MetaServerConfig>({
  ...fromPackage(manifest),
  name: 'metaserver',
  wire: { module: Sources.metaServer, group: Sources.metaServer },
  config,
  after: ['metamanager'],
  routes,
  entry: MetaServerEntry,
  bindings,
});
