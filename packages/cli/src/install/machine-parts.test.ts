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
    iptables -t nat -N EDGE-MESH; iptables -t nat -N EDGE-MESH-S-1; iptables -t nat -A EDGE-MESH -d 10.96.0.7 -j EDGE-MESH-S-1; iptables -t nat -A EDGE-MESH-S-1 -j RETURN
    iptables -t nat -N THEIRS; iptables -t nat -A OUTPUT -j THEIRS; iptables -t nat -I OUTPUT -j EDGE-MESH; iptables -t nat -I PREROUTING -j EDGE-MESH
    ip6tables -N EDGE-MESH-REFUSE; ip6tables -I OUTPUT -j EDGE-MESH-REFUSE
    ip route add local 10.96.0.7 dev lo proto 236; ip route add local 10.96.0.8 dev lo proto 99`;
  await inside('sh', '-ec', script);
  expect(await removeMachineParts(inside)).toEqual(['link edge-mesh0', 'rules ip edgecore_mesh', 'chains iptables EDGE-MESH', 'chains ip6tables EDGE-MESH', 'routes ip proto 236']);
  expect(await inside('ip', '-o', 'link')).toContain('theirs0');
  expect(await inside('ip', '-o', 'link')).not.toContain('edge-mesh0');
  expect(await inside('nft', 'list', 'tables', 'ip')).toContain('table ip theirs\n');
  for (const save of ['iptables-save', 'ip6tables-save']) expect(await inside(save)).not.toContain('EDGE-MESH');
  expect(await inside('iptables-save', '-t', 'nat')).toContain('-A OUTPUT -j THEIRS');
  const routes = await inside('ip', 'route', 'show', 'table', 'all');
  expect(routes).toContain('10.96.0.8');
  expect(routes).not.toContain('10.96.0.7');
  expect(await removeMachineParts(inside)).toEqual([]);
  // A machine without these programs has nothing of it.
  expect(await removeMachineParts(() => Promise.reject(new Error('ENOENT')))).toEqual([]);
}, 60_000);
