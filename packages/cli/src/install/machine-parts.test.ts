import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { removeMachineParts, type RunProgram } from './machine-parts.js';

const NETWORK = `edge-reset-${process.pid}`;
const run = promisify(execFile);
/** In a network of the test's own, with the real programs. */
const inside: RunProgram = async (program, ...args) => (await run('ip', ['netns', 'exec', NETWORK, program, ...args], { timeout: 30_000 })).stdout;

beforeAll(() => void execFileSync('ip', ['netns', 'add', NETWORK]));
afterAll(() => void execFileSync('ip', ['netns', 'delete', NETWORK]));

it('[cli-22.5] what a killed agent leaves in the network goes: links, rules, routes; what others have there stays', async () => {
  const script = `
    ip link set lo up
    ip link add edge-mesh0 type bridge; ip link add theirs0 type bridge
    nft add table ip edgecore_mesh; nft add table ip theirs
    ip route add local 10.96.0.7 dev lo proto 236; ip route add local 10.96.0.8 dev lo proto 99`;
  await inside('sh', '-ec', script);
  expect(await removeMachineParts(inside)).toEqual(['link edge-mesh0', 'rules ip edgecore_mesh', 'routes ip proto 236']);
  expect(await inside('ip', '-o', 'link')).toContain('theirs0');
  expect(await inside('ip', '-o', 'link')).not.toContain('edge-mesh0');
  expect((await inside('nft', 'list', 'tables')).trim()).toBe('table ip theirs');
  const routes = await inside('ip', 'route', 'show', 'table', 'all');
  expect(routes).toContain('10.96.0.8');
  expect(routes).not.toContain('10.96.0.7');
  expect(await removeMachineParts(inside)).toEqual([]);
  // A machine without these programs has nothing of it.
  expect(await removeMachineParts(() => Promise.reject(new Error('ENOENT')))).toEqual([]);
}, 60_000);
