import { defineModule, fromPackage, ipCommand, Logger, MessageBus, NodeIdentity, OwnLink, provide, token, type Bind, type ModuleDefinition } from '@edge/core';
import { Modules } from '@edge/protocol';
import manifest from '../package.json' with { type: 'json' };
import { config, EdgeMeshConfig } from './config.js';
import { Feed } from './data/feed.js';
import { MeshTable } from './data/mesh-table.js';
import { EdgeMesh, type EdgeMeshDeps } from './edgemesh.js';
import { partOf, type MeshPart } from './mesh-part.js';
import { chooseRange } from './own-address/range.js';
import { routes } from './routes.js';

const own = <T>(name: string) => token<T>('edgemesh', name);
const Entry = own<EdgeMesh>('EdgeMesh');
const Log = own<Logger>('Logger');
const Table = own<MeshTable>('MeshTable');
const Objects = own<Feed>('Feed');
const Parts = own<readonly MeshPart[]>('Parts');
const View = own<EdgeMeshDeps['view']>('View');

async function names(config: EdgeMeshConfig, log: Logger): Promise<MeshPart> {
  const { MESH_LINK, Names } = await import('./dns/names.js');
  return new Names({ config, link: new OwnLink({ ip: ipCommand, name: MESH_LINK, isOnlyOurs: true }), log });
}

async function ways({ proxy: config }: EdgeMeshConfig, log: Logger, identity: NodeIdentity): Promise<MeshPart> {
  const [{ Ways }, { systemCommand }] = await Promise.all([import('./ways.js'), import('./intercept/commands.js')]);
  const ownRange = config.intercept === 'own-address' ? await chooseRange(config.ownRange) : undefined;
  return new Ways({ config, identity, log, run: systemCommand, ...(ownRange === undefined ? {} : { ownRange }) });
}

function view(config: EdgeMeshConfig, log: Logger): EdgeMeshDeps['view'] {
  if (!config.proxy.enable || config.proxy.intercept !== 'own-address') return (table) => Promise.resolve(table);
  return async (table) => (await import('./own-address/open-own-addresses.js')).openOwnAddresses(table, config, log);
}

function bindings(bind: Bind): void {
  bind(Log).toResolvedValue((log: Logger) => log.named('edgemesh'), [Logger]);
  bind(Table).toResolvedValue(({ api }: EdgeMeshConfig) => new MeshTable(api === undefined ? {} : { api }), [EdgeMeshConfig]).inSingletonScope();
  provide(bind, Objects, Feed, { bus: MessageBus, table: Table, log: Log });
  bind(Parts).toResolvedValue((config: EdgeMeshConfig, log: Logger, identity: NodeIdentity): readonly MeshPart[] => [
    ...(config.dns.enable ? [partOf(() => names(config, log))] : []),
    ...(config.proxy.enable ? [partOf(() => ways(config, log, identity))] : []),
  ], [EdgeMeshConfig, Log, NodeIdentity]);
  bind(View).toResolvedValue(view, [EdgeMeshConfig, Log]);
  provide(bind, Entry, EdgeMesh, { table: Table, feed: Objects, parts: Parts, view: View });
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
