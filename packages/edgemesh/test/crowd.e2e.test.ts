import { loops } from '@edge/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BALANCE_ANNOTATION } from '../src/balance/settings.js';
import type { MeshService } from '../src/data/service-table.js';
import { connectionsThatFit } from '../src/proxy/open-files.js';
import { Network } from './nodes/network.js';
import { Program } from './nodes/programs.js';
import { PORTS } from './nodes/servers.js';

/** As many as the files allow that this machine lets a process open. */
const MANY = Math.min(loops(10_000, 2_000), (await connectionsThatFit()) ?? Infinity);
const ADDRESS = '10.96.0.30';
interface Ticks {
  readonly own: number;
  readonly all: number;
}

let network: Network;
const programs: Program[] = [];

beforeAll(async () => {
  network = await Network.make([2]);
});
afterAll(async () => {
  for (const program of programs) await program.end('SIGKILL');
  await network?.[Symbol.asyncDispose]();
});

it(`[edgemesh-47.1] ${MANY} connections that the agent itself carries at the same time take bounded memory and little of its own thread, and all are answered; above the limit one is turned away`, async () => {
  const [server, client, agent] = [await Program.start(network.pod(1, 2).network), await Program.start(network.pod(1, 3).network), await Program.start(network.node(1))];
  programs.push(server, client, agent);
  const { address } = network.pod(1, 2);
  await server.ask('serve', { name: 'one', addresses: [address], ports: [PORTS.tcp] });
  const service: MeshService = {
    namespace: 'default', name: 'web', clusterIPs: [ADDRESS], headless: false, hosts: [], foreignProxy: false, localOnly: false, annotations: { [BALANCE_ANNOTATION]: 'LeastConnections' },
    ports: [{ protocol: 'TCP', port: 80, endpoints: [{ address, port: PORTS.tcp, ready: true }] }],
  };
  await agent.ask('agent', { config: { maxConnections: MANY }, services: [service] });
  const empty = await agent.ask<number>('memory');
  expect(await client.ask('crowd', { host: ADDRESS, port: 80, count: MANY })).toBe(MANY);
  expect(await agent.ask('connections')).toBe(MANY);
  // All in the same moment, some times; the agent's own thread has other things to do.
  const before = await agent.ask<Ticks>('ticks');
  for (let round = 0; round < 3; round += 1) expect(await client.ask('crowdSays')).toBe(MANY);
  const after = await agent.ask<Ticks>('ticks');
  expect((after.own - before.own) / (after.all - before.all)).toBeLessThan(1 / 3);
  const grown = (await agent.ask<number>('memory')) - empty;
  // Seen with 9,000: 16 KB each.
  expect(grown / MANY).toBeLessThan(100 * 1024);
  await expect(client.ask('tcp', { host: ADDRESS, port: 80 })).rejects.toThrow();
  await client.ask('leave');
  await expect.poll(() => agent.ask('connections')).toBe(0);
  expect(await client.ask('tcp', { host: ADDRESS, port: 80 })).toMatch(/^one/);
});
