import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BALANCE_ANNOTATION, ROUTES_ANNOTATION } from '../src/balance/settings.js';
import type { Endpoint, MeshService, ServicePort } from '../src/data/service-table.js';
import { Network, type Pod } from './nodes/network.js';
import { Program } from './nodes/programs.js';
import { PORTS } from './nodes/servers.js';

const run = promisify(execFile);
const ADDRESS = '10.96.0.10';
const ADDRESS6 = 'fd96::10';
const CONFIG = { intercept: 'nftables', checkSeconds: 1, lapseSeconds: 60 };

let network: Network;
/** On node 1. */
let agent: Program;
/** A pod of node 1, and a program of node 1 itself. */
let pod: Program;
let host: Program;
const served: Record<string, Program> = {};

const endpoint = (node: number, { address }: { address: string }, port: number, more: Partial<Endpoint> = {}): Endpoint => ({ address, port, nodeName: `node${node}`, ready: true, ...more });
const both = (node: number, pod: Pod, port: number): Endpoint[] => [endpoint(node, pod, port), endpoint(node, { address: pod.address6 }, port)];
const everywhere = (port: number): Endpoint[] => [1, 2, 3].flatMap((node) => both(node, network.pod(node, 2), port));

function service(name: string, more: Partial<MeshService> = {}, endpoints: (port: number) => readonly Endpoint[] = everywhere): MeshService {
  const ports: ServicePort[] = Object.entries(PORTS).map(([kind, port]) => ({ name: kind, protocol: kind === 'udp' ? 'UDP' : 'TCP', port: port - 6000, endpoints: endpoints(port) }));
  return { namespace: 'default', name, clusterIPs: [ADDRESS, ADDRESS6], headless: false, ports, hosts: [], foreignProxy: false, localOnly: false, annotations: {}, ...more };
}
const at = (address: string, kind: keyof typeof PORTS) => ({ host: address, port: PORTS[kind] - 6000 });
const nft = async (...args: readonly string[]): Promise<string> => (await run('ip', ['netns', 'exec', network.node(1), 'nft', ...args])).stdout;
/** Who answers, over some calls. */
async function names(caller: Program, kind: 'tcp' | 'http', address: string, count = 12, more = {}): Promise<string> {
  const answers: string[] = [];
  for (let index = 0; index < count; index += 1) answers.push((await caller.ask<string>(kind, { ...at(address, kind), ...more })).split(' ')[0] as string);
  return [...new Set(answers)].sort().join(' ');
}

beforeAll(async () => {
  network = await Network.make([3, 1, 1]);
  [agent, pod, host] = await Promise.all([Program.start(network.node(1)), Program.start(network.pod(1, 3).network), Program.start(network.node(1))]);
  for (const node of [1, 2, 3]) {
    const { network: place, address, address6 } = network.pod(node, 2);
    const server = await Program.start(place);
    served[`one${node}`] = server;
    await server.ask('serve', { name: `one${node}`, addresses: [address, address6] });
  }
  await agent.ask('agent', { config: CONFIG, services: [service('web')] });
});
afterAll(async () => {
  for (const program of [agent, pod, host, ...Object.values(served)]) await program?.end('SIGKILL');
  await network?.[Symbol.asyncDispose]();
});

async function leadsToAll(): Promise<void> {
  for (const caller of [pod, host]) for (const address of [ADDRESS, ADDRESS6]) expect(await names(caller, 'tcp', address)).toBe('one1 one2 one3');
  // Whoever is called sees the pod, not the node.
  expect((await pod.ask<string>('tcp', at(ADDRESS, 'tcp'))).split(' ')[1]).toBe(network.pod(1, 3).address);
}

async function everythingPasses(): Promise<void> {
  for (const caller of [pod, host]) {
    for (const address of [ADDRESS, ADDRESS6]) {
      expect(await caller.ask('udp', at(address, 'udp'))).toMatch(/^one\d \S+ x$/);
      expect(await caller.ask('http', { ...at(address, 'http'), path: '/p' })).toMatch(/^one\d \/p$/);
      expect(await caller.ask('websocket', at(address, 'http'))).toMatch(/^one\d \/ws hello$/);
      expect(await caller.ask('http2', at(address, 'http2'))).toMatch(/^one\d 2\.0 \/two$/);
      expect(await caller.ask('grpc', at(address, 'grpc'))).toMatch(/^one\d hello$/);
    }
  }
}

async function refusesWhatNobodyServes(): Promise<void> {
  const self = await Program.start(network.pod(1, 2).network);
  expect(await names(self, 'tcp', ADDRESS)).toBe('one1 one2 one3');
  await self.end();
  await agent.ask('services', { services: [service('web'), service('none', { clusterIPs: ['10.96.0.11'] }, () => [])] });
  for (const caller of [pod, host]) {
    await expect(caller.ask('tcp', { host: ADDRESS, port: 9 })).rejects.toThrow('ECONNREFUSED');
    // It takes a moment to be known.
    await expect.poll(() => caller.ask('tcp', { ...at('10.96.0.11', 'tcp'), patienceMs: 1_000 }).catch((error: Error) => error.message)).toContain('ECONNREFUSED');
  }
}

async function keepsAClientsEndpoint(): Promise<void> {
  const sticky = service('sticky', { clusterIPs: ['10.96.0.12'], sessionAffinitySeconds: 100 });
  await agent.ask('services', { services: [service('web'), sticky] });
  await expect.poll(() => names(pod, 'tcp', '10.96.0.12', 1).catch(() => 'none')).toMatch(/^one/);
  expect((await names(pod, 'tcp', '10.96.0.12')).split(' ')).toHaveLength(1);
  expect((await names(host, 'tcp', '10.96.0.12')).split(' ')).toHaveLength(1);
  await agent.ask('services', { services: [service('web')] });
}

/** Two connections, of a pod and of the node itself. @returns what asserts that they are alive */
async function openConnections(): Promise<() => Promise<void>> {
  const open = await pod.ask<number>('open', at(ADDRESS, 'tcp'));
  const own = await host.ask<number>('open', at(ADDRESS, 'tcp'));
  return async () => {
    expect(await pod.ask('say', { of: open, words: 'still' })).toContain('still');
    expect(await host.ask('say', { of: own, words: 'still' })).toContain('still');
  };
}

async function startAgent(config: object, programs = {}): Promise<void> {
  agent = await Program.start(network.node(1));
  await agent.ask('agent', { config, services: [service('web')], programs });
}

it('[edgemesh-46.1] a cluster address leads pods and the node itself to all endpoints, without a default route, over IPv4 and IPv6', leadsToAll);
it('[edgemesh-46.2] TCP, UDP, HTTP/1.1, WebSocket, HTTP/2 and gRPC pass', everythingPasses);
it('[edgemesh-46.3] a pod reaches itself, a port that no service has is refused at once, and so is a service with nobody behind it', refusesWhatNobodyServes);
it('[edgemesh-46.4] a client keeps its endpoint when the service asks for it', keepsAClientsEndpoint);

it('[edgemesh-46.5] while nothing comes from the cloud, endpoints of a node that is gone are left out and come back with it', async () => {
  await network.cable(3, 'down');
  try {
    await expect.poll(() => names(pod, 'tcp', ADDRESS, 6, { patienceMs: 300 }).catch(() => 'waits'), { timeout: 90_000 }).toBe('one1 one2');
  } finally {
    await network.cable(3, 'up');
  }
  await expect.poll(() => names(pod, 'tcp', ADDRESS, 6), { timeout: 90_000 }).toBe('one1 one2 one3');
  expect((await agent.ask<string[]>('said')).join()).toContain(`endpoint ${network.pod(3, 2).address}:7000 takes no connections`);
});

it('[edgemesh-46.6] open connections, and new ones, outlive the end of the agent and its restart; its rules end by themselves when it does not come back', async () => {
  const alive = await openConnections();
  await alive();
  await agent.end('SIGTERM');
  expect(await nft('list', 'map', 'ip', 'edgecore_mesh', 'services')).toMatch(/timeout 1m/);
  await alive();
  expect(await names(pod, 'tcp', ADDRESS, 6)).toBe('one1 one2 one3');
  // It dies as it starts again.
  await startAgent(CONFIG);
  expect(await nft('list', 'map', 'ip', 'edgecore_mesh', 'services')).not.toContain('timeout 1m');
  await agent.end('SIGKILL');
  await alive();
  expect(await names(host, 'tcp', ADDRESS, 6)).toBe('one1 one2 one3');
  await startAgent({ ...CONFIG, lapseSeconds: 1 });
  await agent.end('SIGTERM');
  await expect.poll(() => nft('list', 'map', 'ip', 'edgecore_mesh', 'services')).not.toContain(ADDRESS);
  await alive();
  await startAgent(CONFIG);
  await alive();
});

it('[edgemesh-46.10] unless it is told to let them lapse the agent removes all of its rules and routes as it ends, and open connections live on, whether others translate in the kernel or not', async () => {
  const inNode = async (command: string): Promise<string> => (await run('ip', ['netns', 'exec', network.node(1), ...command.split(' ')])).stdout;
  const alive = await openConnections();
  await agent.end('SIGTERM');
  await startAgent({ ...CONFIG, lapseSeconds: undefined });
  await agent.end('SIGTERM');
  // One chain that catches nothing, as nobody else has the kernel translate.
  for (const family of ['ip', 'ip6']) expect((await nft('list', 'table', family, 'edgecore_mesh')).split('\n').map((line) => line.trim()).filter((line) => line !== '' && line !== '}' && !line.startsWith('table'))).toEqual(['chain open_connections {', expect.stringContaining('type nat hook postrouting'), 'ct status dnat accept']);
  await expect(pod.ask('tcp', { ...at(ADDRESS, 'tcp'), patienceMs: 500 })).rejects.toThrow();
  await alive();
  await startAgent({ ...CONFIG, lapseSeconds: undefined });
  await alive();
  await inNode('nft add table ip others');
  await inNode('nft add chain ip others post { type nat hook postrouting priority 100; }');
  await inNode('nft add rule ip others post oifname none0 masquerade');
  await inNode('ip route add default via 192.168.50.2');
  await agent.end('SIGTERM');
  expect(await nft('list', 'tables', 'ip')).toBe('table ip others\n');
  expect(await inNode('ip -4 route show table all proto 236')).toBe('');
  await alive();
  await inNode('ip route del default');
  await startAgent(CONFIG);
  await alive();
  await inNode('nft delete table ip others');
});

it('[edgemesh-46.7] rules that somebody takes away come back', async () => {
  await run('ip', ['netns', 'exec', network.node(1), 'nft', 'flush', 'ruleset']);
  await expect.poll(() => names(pod, 'tcp', ADDRESS, 3, { patienceMs: 2_000 }).catch(() => 'none'), { timeout: 90_000 }).toMatch(/^one/);
});

it('[edgemesh-46.8] a service that asks for routes by host and path has them at the same address, and one for the fewest connections as well', async () => {
  const only = (node: number) => (port: number): Endpoint[] => both(node, network.pod(node, 2), port);
  const routed = service('shop', { clusterIPs: ['10.96.0.20', 'fd96::20'], annotations: { [ROUTES_ANNOTATION]: '[{"service":"api","path":"/api","port":1002},{"service":"web","host":"web.example","port":1002}]' } }, only(1));
  const least = service('least', { clusterIPs: ['10.96.0.21'], annotations: { [BALANCE_ANNOTATION]: 'LeastConnections' } });
  await agent.ask('services', { services: [service('web', {}, only(3)), service('api', { clusterIPs: ['10.96.0.22'] }, only(2)), routed, least] });
  await expect.poll(() => names(pod, 'http', '10.96.0.20', 1).catch(() => 'none')).toBe('one1');
  for (const caller of [pod, host]) {
    for (const address of ['10.96.0.20', 'fd96::20']) {
      expect(await caller.ask('http', { ...at(address, 'http'), path: '/api/x' })).toBe('one2 /api/x');
      expect(await caller.ask('http', { ...at(address, 'http'), name: 'web.example' })).toBe('one3 /');
      expect(await caller.ask('http', at(address, 'http'))).toBe('one1 /');
      expect(await caller.ask('websocket', at(address, 'http'))).toBe('one1 /ws hello');
      expect(await caller.ask('http2', at(address, 'http2'))).toMatch(/^one1 2\.0/);
    }
    // While they are open, each goes to another one; the node's own is first.
    const held: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      const of = await caller.ask<number>('open', at('10.96.0.21', 'tcp'));
      held.push((await caller.ask<string>('say', { of, words: 'x' })).slice(0, 4));
    }
    expect([held[0], held.sort().join(' ')]).toEqual(['one1', 'one1 one2 one3']);
    await caller.ask('leave');
    await expect.poll(() => agent.ask('connections')).toBe(0);
  }
});

it('[edgemesh-46.9] without rules of the kernel the agent carries everything, at the same addresses', async () => {
  await agent.end('SIGTERM');
  await run('ip', ['netns', 'exec', network.node(1), 'nft', 'flush', 'ruleset']);
  await startAgent({ ...CONFIG, intercept: 'listeners' });
  for (const caller of [pod, host]) {
    for (const address of [ADDRESS, ADDRESS6]) {
      expect(await names(caller, 'tcp', address)).toBe('one1 one2 one3');
      expect(await caller.ask('udp', at(address, 'udp'))).toMatch(/^one\d \S+ x$/);
      expect(await caller.ask('http2', at(address, 'http2'))).toMatch(/^one\d 2\.0/);
      expect(await caller.ask('grpc', at(address, 'grpc'))).toMatch(/^one\d hello$/);
      expect(await caller.ask('websocket', at(address, 'http'))).toMatch(/^one\d \/ws/);
    }
  }
  expect(await nft('list', 'ruleset')).toBe('');
  await agent.end('SIGTERM');
  const left = await Promise.all(['-4', '-6'].map(async (family) => (await run('ip', ['-n', network.node(1), family, 'route', 'show', 'table', 'all', 'proto', '236'])).stdout));
  expect(left.join('')).toBe('');
  expect((await run('ip', ['-n', network.node(1), '-6', 'address', 'show', 'dev', 'lo'])).stdout).not.toContain('fd96');
});

const LEGACY = Object.fromEntries(['iptables', 'ip6tables'].flatMap((name) => ['', '-save', '-restore'].map((end) => [`${name}${end}`, `${name}-legacy${end}`])));
async function iptablesLead(programs: Readonly<Record<string, string>>): Promise<void> {
  const save = async (): Promise<string> => {
    const saved = await Promise.all(['iptables-save', 'ip6tables-save'].map((name) => run('ip', ['netns', 'exec', network.node(1), programs[name] ?? name])));
    return saved.map(({ stdout }) => stdout).join('');
  };
  await agent.end('SIGTERM');
  // What is left there would follow connections as well.
  await nft('flush', 'ruleset');
  const config = { ...CONFIG, intercept: 'iptables' };
  await startAgent(config, programs);
  await leadsToAll();
  await everythingPasses();
  await refusesWhatNobodyServes();
  await keepsAClientsEndpoint();
  const alive = await openConnections();
  await run('ip', ['netns', 'exec', network.node(1), programs['iptables'] ?? 'iptables', '-t', 'nat', '-F']);
  await expect.poll(() => names(pod, 'tcp', ADDRESS, 3, { patienceMs: 500 }).catch(() => 'none'), { timeout: 90_000 }).toMatch(/^one/);
  await agent.end('SIGKILL');
  await alive();
  expect(await names(host, 'tcp', ADDRESS, 6)).toBe('one1 one2 one3');
  await startAgent(config, programs);
  await agent.end('SIGTERM');
  // Nothing leads to the last chain.
  expect((await save()).split('\n').filter((line) => /EDGE-MESH(?!-OPEN)|-j EDGE-MESH/.test(line))).toEqual([]);
  await alive();
  await startAgent(config, programs);
  await alive();
}

it('[edgemesh-48.1] rules of iptables, set by its newer way, lead as those of nftables do, come back when somebody takes them away, and are gone after the end, while open connections live on', () => iptablesLead({}));
it('[edgemesh-48.2] rules of iptables, set by its older way, lead as those of nftables do, come back when somebody takes them away, and are gone after the end, while open connections live on', () => iptablesLead(LEGACY));
