import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemCommand } from '../commands.js';
import type { KernelPort } from '../plan-table.js';
import { planChains, type Chains } from './plan-chains.js';
import { restoreText } from './restore-text.js';

const NETWORK = `edge-chains-${process.pid}`;
const NONE: Chains = new Map();
const run = promisify(execFile);
const port = (more: Partial<KernelPort> = {}): KernelPort => ({ service: 'default/web', addresses: ['10.96.0.1', 'fd96::1'], protocol: 'TCP', port: 80, targets: [{ address: '10.0.0.1', port: 8080 }, { address: '10.0.0.2', port: 8080 }], strategy: 'RoundRobin', ...more });
const nat = (...ports: readonly KernelPort[]): Chains => planChains('ip', ports, { masqueradeAll: false }).nat;

beforeAll(() => run('ip', ['netns', 'add', NETWORK]));
afterAll(() => run('ip', ['netns', 'delete', NETWORK]));

describe('chains of iptables', () => {
  it('[edgemesh-48.3] nothing is said when nothing differs, and a change touches the chains that differ alone', () => {
    const web = nat(port());
    expect(restoreText('nat', web, nat(port()))).toBe('');
    // An endpoint goes: its chain, and the choice among the endpoints.
    const lines = restoreText('nat', nat(port({ targets: [{ address: '10.0.0.1', port: 8080 }] })), web).split('\n');
    expect(lines.filter((line) => line.startsWith('-X'))).toEqual([expect.stringMatching(/^-X EDGE-MESH-E-/)]);
    expect(lines.filter((line) => line.startsWith(':')).map((line) => line.replace(/-[0-9a-f]{14} .*| - .*/, ''))).toEqual([':EDGE-MESH-POST', ':EDGE-MESH-S', ':EDGE-MESH-E']);
    // All chains are named before a rule leads to them, and none is removed before the last rule.
    expect(lines.map((line) => line.slice(0, 2)).join('')).toMatch(/^\*n(:E)+(-A)+-XCO$/);
  });

  it('[edgemesh-48.4] a name that is none of Kubernetes\' harms no rule of others, and says nothing to the program', async () => {
    const restore = systemCommand('ip', 'netns', 'exec', NETWORK, 'iptables-restore');
    const bad = port({ service: `default/x"\nCOMMIT\n*filter\n-P INPUT DROP ${'x'.repeat(300)}`, addresses: ['10.96.0.2'], port: 81 });
    await restore(['-w', '--noflush'], restoreText('nat', nat(port(), bad), NONE));
    const saved = (await run('ip', ['netns', 'exec', NETWORK, 'iptables-save'])).stdout;
    expect(saved).toContain('-A EDGE-MESH -d 10.96.0.1/32');
    expect(saved).toContain('-A EDGE-MESH -d 10.96.0.2/32');
    expect(saved).not.toContain('INPUT DROP');
  });
});
