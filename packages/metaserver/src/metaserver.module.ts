import { CloudLink, defineModule, FeatureGates, fromPackage, ipCommand, Logger, MessageBus, NodeIdentity, provide, provideValue, Store, token, type Bind, type ModuleDefinition } from '@edge/core';
import { Sources } from '@edge/protocol';
import manifest from '../package.json' with { type: 'json' };
import { Documents } from './api/documents.js';
import { CloudApi } from './cloud/cloud-api.js';
import { CloudReader } from './cloud/cloud-reader.js';
import { Follower } from './cloud/follower.js';
import { MeshData } from './cloud/mesh-data.js';
import { config, MetaServerConfig } from './config.js';
import { Feed } from './copy/feed.js';
import { CertificateFiles } from './guard/certificate-files.js';
import { CloudCertificates } from './guard/cloud-certificates.js';
import { Doors } from './guard/doors.js';
import { DummyLink } from './guard/dummy-link.js';
import { Guard } from './guard/guard.js';
import { ServingCertificate } from './guard/serving-certificate.js';
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
const ForMesh = own<MeshData>('MeshData');
const Docs = own<Documents>('Documents');
const Ip = own<typeof ipCommand>('IpCommand');
const Pki = own<CertificateFiles>('CertificateFiles');
const Issuer = own<CloudCertificates>('CloudCertificates');
const Serving = own<ServingCertificate>('ServingCertificate');
const Admitting = own<Guard>('Guard');
const Link = own<DummyLink>('DummyLink');
const Entrances = own<Doors>('Doors');

function bindings(bind: Bind): void {
  bind(Log).toResolvedValue((log: Logger) => log.named('metaserver'), [Logger]);
  provide(bind, Catalog, TypeCatalog, {});
  provide(bind, CloudWay, CloudApi, { bus: MessageBus, link: CloudLink, identity: NodeIdentity });
  provide(bind, Objects, Feed, { bus: MessageBus, log: Log });
  provide(bind, Reading, CloudReader, { cloud: CloudWay, feed: Objects, catalog: Catalog });
  provide(bind, Following, Follower, { cloud: CloudWay, reader: Reading, link: CloudLink, log: Log });
  provide(bind, ForMesh, MeshData, { follower: Following, catalog: Catalog, link: CloudLink });
  provide(bind, Docs, Documents, { bus: MessageBus, cloud: CloudWay, catalog: Catalog, log: Log });
  bind(Pki).toResolvedValue(({ certificateDirectory: folder }: MetaServerConfig) => new CertificateFiles({ folder }), [MetaServerConfig]);
  provide(bind, Issuer, CloudCertificates, { bus: MessageBus, link: CloudLink, identity: NodeIdentity, config: MetaServerConfig, log: Log });
  provide(bind, Serving, ServingCertificate, { files: Pki, cloud: Issuer, config: MetaServerConfig, log: Log });
  provide(bind, Admitting, Guard, { config: MetaServerConfig, bus: MessageBus, identity: NodeIdentity, log: Log });
  provideValue(bind, Ip, ipCommand);
  provide(bind, Link, DummyLink, { ip: Ip });
  provide(bind, Entrances, Doors, { config: MetaServerConfig, gates: FeatureGates, guard: Admitting, certificate: Serving, link: Link, log: Log });
  provide(bind, MetaServerEntry, MetaServer, {
    config: MetaServerConfig,
    store: Store,
    bus: MessageBus,
    link: CloudLink,
    identity: NodeIdentity,
    log: Log,
    catalog: Catalog,
    documents: Docs,
    feed: Objects,
    cloud: CloudWay,
    reader: Reading,
    follower: Following,
    meshData: ForMesh,
    doors: Entrances,
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
