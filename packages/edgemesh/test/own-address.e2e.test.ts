import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Endpoint, MeshService } from '../src/data/service-table.js';
import { Network } from './nodes/network.js';
import { Program } from './nodes/programs.js';
import { PORTS } from './nodes/servers.js';

const run = promisify(execFile);
const CONFIG = { intercept: 'own-address', checkSeconds: 1 };
const MESH = '169.254.96.17';
const WEB = 'web.default.svc.cluster.local';
const PATIENCE = { timeout: 90_000 };

let network: Network;
/** On node 1. */
let agent: Program;
/** A pod of node 1, and a program of node 1 itself. */
let pod: Program;
let host: Program;
const served: Program[] = [];

const at = (address: string, kind: keyof typeof PORTS) => ({ host: address, port: PORTS[kind] - 6000 });
const inNode = async (...command: readonly string[]): Promise<string> => (await run('ip', ['netns', 'exec', network.node(1), ...command])).stdout;
const ownRoutes = () => inNode('ip', 'route', 'show', 'table', 'all', 'proto', '236');
const addressesOf = (caller: Program, { server = MESH, type = 'A', name = WEB } = {}): Promise<string[]> => caller.ask('resolve', { name, server, type });

function service(name: string, clusterIP: string): MeshService {
  const endpoints = (port: number): Endpoint[] => [1, 2].map((node) => ({ address: network.pod(node, 2).address, port, nodeName: `node${node}`, ready: true }));
  const ports = Object.entries(PORTS).map(([kind, port]) => ({ name: kind, protocol: kind === 'udp' ? 'UDP' as const : 'TCP' as const, port: port - 6000, endpoints: endpoints(port) }));
  return { namespace: 'default', name, clusterIPs: [clusterIP, 'fd96::10'], headless: false, ports, hosts: [], foreignProxy: false, localOnly: false, annotations: {} };
}

async function startAgent(config: object, within: readonly string[] = [], address = MESH): Promise<void> {
  agent = await Program.start(network.node(1), within);
  await agent.ask('agent', { config, services: [service('web', '10.96.0.10')], address });
}

async function startServer(node: number): Promise<void> {
  const { network: place, address } = network.pod(node, 2);
  const server = (served[node] = await Program.start(place));
  await server.ask('serve', { name: `one${node}`, addresses: [address] });
}

/** Who answers, over some calls. */
async function names(caller: Program, address: string, count = 6): Promise<string> {
  const answers: string[] = [];
  for (let index = 0; index < count; index += 1) answers.push((await caller.ask<string>('tcp', at(address, 'tcp'))).slice(0, 4));
  return [...new Set(answers)].sort().join(' ');
}

async function everythingPasses(caller: Program, address: string): Promise<void> {
  expect(await names(caller, address)).toBe('one1 one2');
  expect(await caller.ask('udp', at(address, 'udp'))).toMatch(/^one\d \S+ x$/);
  expect(await caller.ask('http', { ...at(address, 'http'), path: '/p' })).toMatch(/^one\d \/p$/);
  expect(await caller.ask('http2', at(address, 'http2'))).toMatch(/^one\d 2\.0/);
  expect(await caller.ask('grpc', at(address, 'grpc'))).toMatch(/^one\d hello$/);
}

beforeAll(async () => {
  network = await Network.make([2, 1]);
  [pod, host] = await Promise.all([Program.start(network.pod(1, 3).network), Program.start(network.node(1)), startServer(1), startServer(2)]);
  await startAgent(CONFIG);
});
afterAll(async () => {
  for (const program of [agent, pod, host, ...Object.values(served)]) await program?.end('SIGKILL');
  await network?.[Symbol.asyncDispose]();
});

it('[edgemesh-49.7] names lead pods and the node itself to an address of its own, for whatever is spoken, and one route is all that is set for it', async () => {
  const [address = ''] = await addressesOf(pod);
  expect(address).toMatch(/^240\.96\./);
  for (const caller of [pod, host]) {
    await everythingPasses(caller, address);
    await expect(addressesOf(caller, { type: 'AAAA' })).rejects.toThrow('ENODATA');
    expect(await addressesOf(caller, { type: 'PTR', name: `${address.split('.').reverse().join('.')}.in-addr.arpa` })).toEqual([WEB]);
    // A port that no service has, and an address.
    for (const nobody of [address, '240.96.255.255']) await expect(caller.ask('tcp', { host: nobody, port: 9 })).rejects.toThrow('ECONNREFUSED');
  }
  expect([await inNode('nft', 'list', 'ruleset'), await ownRoutes()]).toEqual(['', expect.stringMatching(/^local 240\.96\.0\.0\/16 dev lo [^\n]*\n$/)]);
});

it('[edgemesh-49.8] an endpoint that dies is passed over at once; a service that comes has a name and an address', async () => {
  const [address = ''] = await addressesOf(pod);
  await served[2]?.end('SIGKILL');
  expect(await names(pod, address)).toBe('one1');
  await agent.ask('services', { services: [service('web', '10.96.0.10'), service('new', '10.96.0.30')] });
  const [other = ''] = await addressesOf(pod, { name: 'new.default.svc.cluster.local' });
  expect([other.startsWith('240.96.'), other === address, await addressesOf(pod)]).toEqual([true, false, [address]]);
  await expect.poll(() => names(pod, other, 1).catch(() => 'none'), PATIENCE).toMatch(/^one/);
});

it('[edgemesh-49.9] after a kill the address is the same and leads on, a route that somebody takes away comes back, and nothing stays after the end', async () => {
  const before = await addressesOf(pod);
  await agent.end('SIGKILL');
  // Before the agent, which would find it dead.
  await startServer(2);
  await startAgent(CONFIG);
  const [address = ''] = await addressesOf(pod);
  expect([address]).toEqual(before);
  expect(await names(pod, address)).toBe('one1 one2');
  await inNode('ip', 'route', 'flush', 'table', 'all', 'proto', '236');
  await expect.poll(() => names(pod, address, 1).catch(() => 'none'), PATIENCE).toMatch(/^one/);
  await agent.end('SIGTERM');
  expect([await ownRoutes(), await inNode('nft', 'list', 'ruleset')]).toEqual(['', '']);
  expect(await inNode('ip', 'link', 'show')).not.toContain('edge-mesh0');
});

it('[edgemesh-49.10] without any right over the network names lead programs of the node to an address of the loopback', async () => {
  // The services of this test have ports below 1024.
  await inNode('sysctl', '-qw', 'net.ipv4.ip_unprivileged_port_start=0');
  await startAgent(CONFIG, ['setpriv', '--inh-caps=-all', '--bounding-set=-all'], '127.0.0.53');
  const [address = ''] = await addressesOf(host, { server: '127.0.0.53' });
  expect(address).toMatch(/^127\.96\./);
  await everythingPasses(host, address);
  expect((await agent.ask<string[]>('said')).join()).toContain('pods with a network of their own do not');
  expect(await ownRoutes()).toBe('');
  await agent.end('SIGTERM');
});
