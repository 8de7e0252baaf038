import { CloudLink, defineModule, fromPackage, Logger, MessageBus, provide, Store, token, type Bind, type ModuleDefinition } from '@edge/core';
import { Groups, Modules } from '@edge/protocol';
import manifest from '../package.json' with { type: 'json' };
import { Cloud } from './cloud.js';
import { CONFIG_PATH, MetaManagerConfig, parseMetaManagerConfig } from './config.js';
import { LocalApiHandler } from './feed/local-api.js';
import { ObjectFeed } from './feed/object-feed.js';
import { DeviceEditHandler } from './handlers/device-edit.js';
import { DeviceStoreHandler } from './handlers/device-store.js';
import { JobRecordHandler } from './handlers/job-records.js';
import { LateAnswerHandler } from './handlers/late-answer.js';
import { PatchHandler } from './handlers/patch.js';
import { PodInquiries } from './handlers/pod-inquiries.js';
import { PushHandler } from './handlers/push.js';
import { QueryHandler } from './handlers/query.js';
import { TokenHandler } from './handlers/token.js';
import { UpwardHandler } from './handlers/upward.js';
import { VolumeHandler } from './handlers/volume.js';
import { WriteHandler } from './handlers/write.js';
import { MetaObjects } from './meta-objects.js';
import { MetaManager, MetaManagerEntry } from './metamanager.js';
import { Neighbours } from './neighbours.js';
import { ObjectFetcher } from './object-fetcher.js';
import { Freshness } from './reconcile/freshness.js';
import { Reconciler } from './reconcile/reconciler.js';
import { routes } from './routes.js';
import { TokenFetcher } from './tokens/token-fetcher.js';
import { TokenRenewer } from './tokens/token-renewer.js';
import { TokenVault } from './tokens/token-vault.js';

const own = <T>(name: string) => token<T>('metamanager', name);
const Log = own<Logger>('Logger');
const Objects = own<MetaObjects>('MetaObjects');
const CloudWay = own<Cloud>('Cloud');
const Near = own<Neighbours>('Neighbours');
const Fresh = own<Freshness>('Freshness');
const Fetcher = own<ObjectFetcher>('ObjectFetcher');
const Reconciling = own<Reconciler>('Reconciler');
const Pushes = own<PushHandler>('PushHandler');
const Inquiries = own<PodInquiries>('PodInquiries');
const LateAnswers = own<LateAnswerHandler>('LateAnswerHandler');
const Queries = own<QueryHandler>('QueryHandler');
const Tokens = own<TokenHandler>('TokenHandler');
const Vault = own<TokenVault>('TokenVault');
const TokenFetching = own<TokenFetcher>('TokenFetcher');
const TokenRenewing = own<TokenRenewer>('TokenRenewer');
const Writes = own<WriteHandler>('WriteHandler');
const Patches = own<PatchHandler>('PatchHandler');
const Upward = own<UpwardHandler>('UpwardHandler');
const Volumes = own<VolumeHandler>('VolumeHandler');
const Feed = own<ObjectFeed>('ObjectFeed');
const LocalApi = own<LocalApiHandler>('LocalApiHandler');
const DeviceStore = own<DeviceStoreHandler>('DeviceStoreHandler');
const DeviceEdits = own<DeviceEditHandler>('DeviceEditHandler');
const JobRecords = own<JobRecordHandler>('JobRecordHandler');

function bindings(bind: Bind): void {
  bind(Log).toResolvedValue((log: Logger) => log.named('metamanager'), [Logger]);
  provide(bind, Vault, TokenVault, { store: Store, config: MetaManagerConfig, log: Log });
  provide(bind, Objects, MetaObjects, { store: Store, tokens: Vault });
  provide(bind, CloudWay, Cloud, { bus: MessageBus, link: CloudLink, config: MetaManagerConfig, log: Log });
  provide(bind, Near, Neighbours, { bus: MessageBus });
  provide(bind, Fresh, Freshness, { link: CloudLink });
  provide(bind, Fetcher, ObjectFetcher, { cloud: CloudWay, objects: Objects, freshness: Fresh });
  provide(bind, Reconciling, Reconciler, { objects: Objects, fetcher: Fetcher, freshness: Fresh, neighbours: Near, link: CloudLink, log: Log });
  provide(bind, Pushes, PushHandler, { objects: Objects, cloud: CloudWay, neighbours: Near, freshness: Fresh, fetcher: Fetcher, log: Log });
  provide(bind, Inquiries, PodInquiries, {});
  provide(bind, LateAnswers, LateAnswerHandler, { objects: Objects, fetcher: Fetcher, tokens: TokenFetching, inquiries: Inquiries, neighbours: Near, log: Log });
  provide(bind, Queries, QueryHandler, { objects: Objects, fetcher: Fetcher, reconciler: Reconciling, freshness: Fresh, cloud: CloudWay, log: Log });
  provide(bind, TokenFetching, TokenFetcher, { cloud: CloudWay, vault: Vault });
  provide(bind, TokenRenewing, TokenRenewer, { vault: Vault, fetcher: TokenFetching, objects: Objects, link: CloudLink, log: Log });
  provide(bind, Tokens, TokenHandler, { vault: Vault, fetcher: TokenFetching, config: MetaManagerConfig, log: Log });
  provide(bind, Writes, WriteHandler, { objects: Objects, cloud: CloudWay });
  provide(bind, Patches, PatchHandler, { objects: Objects, cloud: CloudWay, inquiries: Inquiries });
  provide(bind, Upward, UpwardHandler, { cloud: CloudWay });
  provide(bind, Volumes, VolumeHandler, { bus: MessageBus, cloud: CloudWay });
  provide(bind, DeviceStore, DeviceStoreHandler, { objects: Objects, log: Log });
  provide(bind, DeviceEdits, DeviceEditHandler, { objects: Objects, neighbours: Near });
  provide(bind, JobRecords, JobRecordHandler, { store: Store });
  provide(bind, Feed, ObjectFeed, { objects: Objects, bus: MessageBus, log: Log });
  provide(bind, LocalApi, LocalApiHandler, { objects: Objects, feed: Feed, log: Log });
  provide(bind, MetaManagerEntry, MetaManager, {
    pushes: Pushes,
    lateAnswers: LateAnswers,
    queries: Queries,
    tokens: Tokens,
    writes: Writes,
    patches: Patches,
    upward: Upward,
    volumes: Volumes,
    deviceStore: DeviceStore,
    deviceEdits: DeviceEdits,
    jobRecords: JobRecords,
    localApi: LocalApi,
    cloud: CloudWay,
    reconciler: Reconciling,
    vault: Vault,
    fetcher: TokenFetching,
    renewer: TokenRenewing,
  });
}

/** The module as a value: register it with `core`. */
export const metamanager: ModuleDefinition<MetaManager, MetaManagerConfig> = defineModule<MetaManager, MetaManagerConfig>({
  ...fromPackage(manifest),
  name: 'metamanager',
  wire: { module: Modules.metaManager, group: Groups.meta },
  config: { path: CONFIG_PATH, token: MetaManagerConfig, parse: parseMetaManagerConfig },
  routes,
  entry: MetaManagerEntry,
  bindings,
});
