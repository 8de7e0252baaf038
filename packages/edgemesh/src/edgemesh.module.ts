import { defineModule, fromPackage, ipCommand, Logger, MessageBus, NodeIdentity, OwnLink, provide, token, type Bind, type ModuleDefinition } from '@edge/core';
import { Modules } from '@edge/protocol';
import manifest from '../package.json' with { type: 'json' };
import { config, EdgeMeshConfig } from './config.js';
import { Feed } from './data/feed.js';
import { MeshTable } from './data/mesh-table.js';
import { MESH_LINK, Names } from './dns/names.js';
import { EdgeMesh } from './edgemesh.js';
import { systemCommand } from './intercept/commands.js';
import type { MeshPart } from './mesh-part.js';
import { routes } from './routes.js';
import { Ways } from './ways.js';

const own = <T>(name: string) => token<T>('edgemesh', name);
const Entry = own<EdgeMesh>('EdgeMesh');
const Log = own<Logger>('Logger');
const Table = own<MeshTable>('MeshTable');
const Objects = own<Feed>('Feed');
const Link = own<OwnLink>('OwnLink');
const Naming = own<Names>('Names');
const Going = own<Ways>('Ways');
const Parts = own<readonly MeshPart[]>('Parts');

function bindings(bind: Bind): void {
  bind(Log).toResolvedValue((log: Logger) => log.named('edgemesh'), [Logger]);
  bind(Table).toResolvedValue(({ api }: EdgeMeshConfig) => new MeshTable(api === undefined ? {} : { api }), [EdgeMeshConfig]).inSingletonScope();
  provide(bind, Objects, Feed, { bus: MessageBus, table: Table, log: Log });
  bind(Link).toResolvedValue(() => new OwnLink({ ip: ipCommand, name: MESH_LINK, isOnlyOurs: true })).inSingletonScope();
  provide(bind, Naming, Names, { config: EdgeMeshConfig, link: Link, log: Log });
  bind(Going).toResolvedValue(({ proxy: config }: EdgeMeshConfig, log: Logger, identity: NodeIdentity) => new Ways({ config, identity, log, nft: systemCommand('nft'), ip: systemCommand('ip') }), [EdgeMeshConfig, Log, NodeIdentity]).inSingletonScope();
  bind(Parts).toResolvedValue(({ dns, proxy }: EdgeMeshConfig, names: Names, ways: Ways): readonly MeshPart[] => [...(dns.enable ? [names] : []), ...(proxy.enable ? [ways] : [])], [EdgeMeshConfig, Naming, Going]);
  provide(bind, Entry, EdgeMesh, { table: Table, feed: Objects, parts: Parts });
}

/** The module as a value: register it with `core`. */
export const edgemesh: ModuleDefinition<EdgeMesh, EdgeMeshConfig> = defineModule<EdgeMesh, EdgeMeshConfig>({
  ...fromPackage(manifest),
  name: 'edgemesh',
  wire: { module: Modules.edgeMesh, group: 'mesh' },
  config,
  after: ['metamanager'],
  routes,
  entry: Entry,
  bindings,
});
