import { execFile } from 'node:child_process';
import { createServer, connect, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { ResourceClient } from '@edge/kubeapi';
import type { KubeObject } from '@edge/protocol';
import { Network } from '../../../edgemesh/test/nodes/network.js';
import { Program } from '../../../edgemesh/test/nodes/programs.js';
import { PORTS } from '../../../edgemesh/test/nodes/servers.js';
import { openScene, type Scene } from '../support/scene.js';

// The whole agent is node 1 of three; the cloud is beyond its loopback, as behind a tunnel, since no link leads out of these networks.
const run = promisify(execFile);
const NAMES = '169.254.96.17';
const NAME = 'web.default.svc.cluster.local';
const KINDS = ['tcp', 'udp', 'http'] as const;
const portOf = (kind: (typeof KINDS)[number]): number => PORTS[kind] - 6000;

let network: Network;
let scene: Scene;
let address: string;
/** Of a service that the agent itself carries. */
let carried: string;
/** A pod of node 1, and a program of node 1 itself. */
let pod: Program;
let host: Program;
const servers = new Map<number, Program>();
const bridges: Server[] = [];

const withMesh = (text: string): string => {
  const config = parse(text) as { edge: Record<string, unknown> };
  config.edge['edgeMesh'] = { enable: true, proxy: { checkSeconds: 1 } };
  return stringify(config);
};
const slices = (): ResourceClient<KubeObject> => scene.cloud.api.resource('discovery.k8s.io/v1', 'endpointslices');
const slice = (nodes: readonly number[], of = 'web'): object => ({
  apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: `${of}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': of } }, addressType: 'IPv4',
  ports: KINDS.map((kind) => ({ name: kind, protocol: kind === 'udp' ? 'UDP' : 'TCP', port: PORTS[kind] })),
  endpoints: nodes.map((node) => ({ addresses: [network.pod(node, 2).address], nodeName: `node${node}`, conditions: { ready: true } })),
});

async function serve(node: number): Promise<void> {
  const { network: place, address: own } = network.pod(node, 2);
  const server = await Program.start(place);
  servers.set(node, server);
  await server.ask('serve', { name: `one${node}`, addresses: [own], ports: KINDS.map((kind) => PORTS[kind]) });
}

/** The loopback of node 1 leads to the cloud at these ports. */
async function bridge(folder: string, ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const path = join(folder, '..', `${port}.sock`);
    const server = createServer((inner) => {
      const outer = connect(port, '127.0.0.1');
      inner.pipe(outer).pipe(inner);
      inner.on('error', () => outer.destroy()).on('close', () => outer.destroy());
      outer.on('error', () => inner.destroy()).on('close', () => inner.destroy());
    });
    bridges.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await host.ask('passage', { port, path });
  }
}

/** Who answers to these calls: by cluster address, or by name. */
async function who(caller: Program, way: 'address' | 'name', kind: (typeof KINDS)[number] = 'tcp', count = 12): Promise<string> {
  const answers = new Set<string>();
  for (let index = 0; index < count; index += 1) {
    const [to] = way === 'address' ? [address] : await caller.ask<string[]>('resolve', { name: NAME, server: NAMES });
    answers.add((await caller.ask<string>(kind, { host: to, port: portOf(kind) })).split(' ')[0] as string);
  }
  return [...answers].sort().join(' ');
}
const soon = (caller: Program, way: 'address' | 'name', count = 6): { toBe(names: string): PromiseLike<void> } => expect.poll(() => who(caller, way, 'tcp', count).catch((error: Error) => error.message), { timeout: 90_000 });
const nft = async (...args: readonly string[]): Promise<string> => (await run('ip', ['netns', 'exec', network.node(1), 'nft', ...args])).stdout;

beforeAll(async () => {
  network = await Network.make([3, 1, 1]);
  [pod, host] = await Promise.all([Program.start(network.pod(1, 3).network), Program.start(network.node(1))]);
  for (const node of [1, 2, 3]) await serve(node);
  scene = await openScene({ network: network.node(1), before: bridge, edit: withMesh });
  const services = scene.cloud.api.resource('v1', 'services');
  const ports = KINDS.map((kind) => ({ name: kind, port: portOf(kind), protocol: kind === 'udp' ? 'UDP' : 'TCP' }));
  const made = async (name: string, annotations = {}): Promise<string> => {
    const service = await services.create({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default', annotations }, spec: { ports } } as never);
    await slices().create(slice([1, 2, 3], name) as never);
    return (service as unknown as { spec: { clusterIP: string } }).spec.clusterIP;
  };
  address = await made('web');
  carried = await made('least', { 'mesh.edge/balance': 'LeastConnections' });
});
afterAll(async () => {
  await scene?.[Symbol.asyncDispose]();
  for (const program of [pod, host, ...servers.values()]) await program?.end('SIGKILL');
  for (const server of bridges) server.close();
  await network?.[Symbol.asyncDispose]();
});

it('[cli-mesh-2.1] what the cloud says about a service is a way for pods and for the node itself, by name and by cluster address', async () => {
  await soon(pod, 'address', 9).toBe('one1 one2 one3');
  for (const caller of [pod, host]) for (const way of ['address', 'name'] as const) for (const kind of KINDS) expect(await who(caller, way, kind)).toMatch(kind === 'udp' ? /^one/ : 'one1 one2 one3');
  expect(await nft('list', 'map', 'ip', 'edgecore_mesh', 'services')).toContain(address);
});

it('[cli-mesh-2.4] the agent, in one file as it is installed, carries what the kernel cannot', async () => {
  const to = { host: carried, port: portOf('tcp') };
  const held: string[] = [];
  await expect.poll(() => pod.ask('tcp', to).catch(() => 'none'), { timeout: 90_000 }).toMatch(/^one/);
  for (let index = 0; index < 3; index += 1) held.push((await pod.ask<string>('say', { of: await pod.ask('open', to), words: 'x' })).slice(0, 4));
  expect(held.sort().join(' ')).toBe('one1 one2 one3');
  await pod.ask('leave');
});

it('[cli-mesh-2.2] with the cloud away an endpoint that dies is left out, and open connections live through a restart and a kill of the agent, after which names and addresses lead as before', async () => {
  const open = new Map<Program, number>();
  for (const caller of [pod, host]) {
    // One that is not on node 3, which is about to go.
    await expect.poll(async () => {
      const of = await caller.ask<number>('open', { host: address, port: portOf('tcp') });
      open.set(caller, of);
      return caller.ask('say', { of, words: 'first' });
    }).not.toMatch(/^one3/);
  }
  const alive = async (): Promise<void> => {
    for (const [caller, of] of open) expect(await caller.ask('say', { of, words: 'still' })).toContain('still');
  };
  scene.relay.set('refuse');
  await servers.get(3)?.end('SIGKILL');
  await soon(pod, 'name').toBe('one1 one2');
  await alive();
  expect(await scene.agent.stop()).toBe(0);
  await alive();
  scene.agent.start();
  await soon(pod, 'name').toBe('one1 one2');
  await soon(host, 'address').toBe('one1 one2');
  await alive();
  await scene.agent.kill();
  await alive();
  // The kernel goes on alone.
  expect(await who(host, 'address')).toBe('one1 one2');
  scene.agent.start();
  await soon(host, 'name').toBe('one1 one2');
  await alive();
});

it('[cli-mesh-2.3] the cloud is back: what changed meanwhile counts', async () => {
  await serve(3);
  await slices().update(slice([2, 3]) as never);
  scene.relay.set('open');
  await soon(pod, 'name').toBe('one2 one3');
  expect(await who(host, 'address')).toBe('one2 one3');
});
