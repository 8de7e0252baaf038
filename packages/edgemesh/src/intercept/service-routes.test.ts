import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemCommand } from './commands.js';
import { ServiceRoutes, type Route } from './service-routes.js';

const run = promisify(execFile);
const network = `edge-mesh-routes-${process.pid}`;
beforeAll(async () => {
  await run('ip', ['netns', 'add', network]);
  await run('ip', ['-n', network, 'link', 'set', 'lo', 'up']);
  await run('ip', ['-n', network, 'link', 'add', 'routes0', 'type', 'veth', 'peer', 'name', 'routes1']);
  for (const link of ['routes0', 'routes1']) await run('ip', ['-n', network, 'link', 'set', link, 'up']);
});
afterAll(() => run('ip', ['netns', 'delete', network]));

it('[edgemesh-42.2] routes come and go, a successor finds them, and routes of others to the same addresses stay', async () => {
  const ip = systemCommand('ip', '-n', network);
  const routesTo = async (address: string): Promise<string> => ip([address.includes(':') ? '-6' : '-4', 'route', 'show', 'table', 'all', 'to', address]);
  const addresses = ['10.96.0.1', '10.96.0.2', 'fd96::1', 'fd96::2'];
  for (const address of addresses) await ip(['route', 'add', address, 'dev', 'routes0']);
  const wanted: Route[] = addresses.map((address, index) => ({ address, type: index % 2 === 0 ? 'unicast' : 'local' }));
  await new ServiceRoutes({ ip }).sync(wanted);
  for (const address of addresses) {
    expect(await routesTo(address)).toContain('dev routes0');
    expect(await routesTo(address)).toContain('dev lo');
  }
  const successor = new ServiceRoutes({ ip });
  await successor.sync(wanted);
  await successor.sync([]);
  for (const address of addresses) expect([address, await routesTo(address)]).toEqual([address, expect.stringMatching(/^[^\n]*dev routes0[^\n]*\n$/)]);
});
