import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeshService } from '../../packages/edgemesh/src/data/service-table.js';
import { Network } from '../../packages/edgemesh/test/nodes/network.js';
import { startHelper } from './ask.js';
import { figure } from './figure.js';

// A pod calls another one of the same node: by its own address, by the service's, and through a proxy that others wrote.
const QUICK = process.argv.includes('--quick');
const RUNS = QUICK ? 1 : 3;
const MILLISECONDS = QUICK ? 1_000 : 4_000;
const BYTES = (QUICK ? 128 : 1024) * 1024 * 1024;
const PARALLEL = 50;
const KERNEL = '10.96.0.40';
const CARRIED = '10.96.0.41';

const hasHaproxy = spawnSync('haproxy', ['-v']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'edge-bench-mesh-'));
await using network = await Network.make([2]);
const [server, client] = [network.pod(1, 2), network.pod(1, 3)];
await using serving = startHelper('mesh-peer', server.network);
await using calling = startHelper('mesh-peer', client.network);
await using agent = startHelper('mesh-peer', network.node(1));
const haproxy = hasHaproxy ? startHaproxy() : undefined;
try {
  await serving.ask({ do: 'serve', host: server.address, port: 8080 });
  await agent.ask({ do: 'agent', services: [service('kernel', KERNEL, {}), service('carried', CARRIED, { 'mesh.edge/balance': 'LeastConnections' })] });
  const ways: [string, string, number][] = [
    ['direct', server.address, 8080],
    ['cluster address, by the kernel', KERNEL, 80],
    ['cluster address, carried by the agent', CARRIED, 80],
    ...(hasHaproxy ? [['haproxy', '10.244.1.1', 9000] as [string, string, number]] : []),
  ];
  const rates = new Map(ways.map(([name]) => [name, { connections: [] as number[], bytes: [] as number[] }]));
  // In turns, so that a busy minute of the machine meets all.
  for (let run = 0; run < RUNS; run += 1) {
    for (const [name, host, port] of ways) {
      rates.get(name)?.connections.push(await calling.ask<number>({ do: 'connections', host, port, milliseconds: MILLISECONDS, parallel: PARALLEL }));
      rates.get(name)?.bytes.push(await calling.ask<number>({ do: 'bytes', host, port, bytes: BYTES }));
    }
  }
  const middle = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
  for (const [name] of ways) {
    const { connections, bytes } = rates.get(name) ?? { connections: [], bytes: [] };
    figure(`mesh, ${name}: connections`, middle(connections), 'connections/s', `${PARALLEL} at a time, a byte each way`);
    figure(`mesh, ${name}: bytes`, middle(bytes), 'MB/s', 'one connection');
  }
} finally {
  haproxy?.kill('SIGTERM');
  if (haproxy && haproxy.exitCode === null && haproxy.signalCode === null) await once(haproxy, 'exit');
  rmSync(folder, { recursive: true, force: true });
}

function service(name: string, address: string, annotations: Record<string, string>): MeshService {
  return { namespace: 'default', name, clusterIPs: [address], headless: false, hosts: [], foreignProxy: false, localOnly: false, annotations, ports: [{ protocol: 'TCP', port: 80, endpoints: [{ address: server.address, port: 8080, ready: true }] }] };
}

function startHaproxy() {
  const file = join(folder, 'haproxy.cfg');
  const times = ['connect', 'client', 'server'].map((name) => `  timeout ${name} 60s`).join('\n');
  writeFileSync(file, `global\n  maxconn 4000\ndefaults\n  mode tcp\n${times}\nlisten web\n  bind 10.244.1.1:9000\n  server one ${server.address}:8080\n`);
  return spawn('ip', ['netns', 'exec', network.node(1), 'haproxy', '-q', '-db', '-f', file], { stdio: ['ignore', 'ignore', 'inherit'] });
}
