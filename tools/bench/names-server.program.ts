import { OwnLink, type Logger } from '@edge/core';
import { parseEdgeMeshConfig } from '../../packages/edgemesh/src/config.js';
import { MeshTable } from '../../packages/edgemesh/src/data/mesh-table.js';
import { Names } from '../../packages/edgemesh/src/dns/names.js';

// The mesh's names alone, over as many services as the first argument says, on the port that the second says.
const [count = 0, port = 0, upstream = 0] = process.argv.slice(2).map(Number);
const table = new MeshTable();
table.apply(Array.from({ length: count }, (_, index) => ({
  key: `/core/v1/services/default/s${index}`,
  object: { apiVersion: 'v1', kind: 'Service', metadata: { name: `s${index}`, namespace: 'default' }, spec: { clusterIP: `10.96.${index >> 8}.${index & 255}`, ports: [{ port: 80 }] } },
})));
const nothing = (): void => undefined;
const log: Logger = { error: nothing, warn: nothing, info: nothing, verbose: nothing, named: () => log };
const config = parseEdgeMeshConfig({ address: '127.0.0.1', dns: { port, upstream: [`127.0.0.1:${upstream}`] } });
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
await new Names({ config, link: new OwnLink({ ip: () => Promise.resolve(''), name: 'none' }), log }).run(table, stop.signal, () => process.stdout.write(`ready ${Math.round(process.memoryUsage().rss / 1e6)}\n`));
