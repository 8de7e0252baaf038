import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import { Kubectl } from './kubectl.js';
import type { StreamScene } from './stream-scene.js';

/** Where `tools/kubectls.sh` puts an old one and a newer one. */
const CACHE = process.env['EDGE_TEST_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'edgecore-tests');

/** `kubectl top`. */
export function topTests(scene: () => StreamScene): void {
  it('[cli-stream-1.13] kubectl top: an old one and a newer one show what node, pods and containers use, and a busy one uses most', { timeout: 300_000 }, async () => {
    const { folder, kubectl } = scene();
    const programs = ['kubectl-bookworm', 'kubectl-trixie'].map((name) => join(CACHE, name)).filter((path) => existsSync(path));
    const clients = [kubectl, ...programs.map((program) => new Kubectl({ kubeconfig: join(folder, 'cloud', 'kubeconfig'), folder, program }))];
    const busy = kubectl.start('exec', 'p', '--', 'sh', '-c', 'echo began; timeout 120 yes > /dev/null');
    await busy.shows('began');
    const used = async (): Promise<Record<string, string[]>> => {
      const lines = (await kubectl.text('top', 'pod', '--no-headers')).trim().split('\n').map((line) => line.split(/\s+/));
      return Object.fromEntries(lines.map(([name = '', ...rest]) => [name, rest]));
    };
    let rows: Record<string, string[]> = {};
    await eventually(async () => Number.parseInt((rows = await used())['p']?.[0] ?? '') > 100, 90_000, () => JSON.stringify(rows));
    expect(Object.keys(rows).sort()).toEqual(['flood', 'p', 'shell', 'two']);
    expect(Number.parseInt(rows['shell']?.[0] ?? '')).toBeLessThan(Number.parseInt(rows['p']?.[0] ?? ''));
    for (const client of clients) {
      expect(await client.text('top', 'node')).toMatch(/NAME +CPU\(cores\) +CPU\S* +MEMORY\(bytes\) +MEMORY\S*\s*\nedge-e2e +\d+m +\d+% +\d+Mi +\d+%/);
      expect(await client.text('top', 'pod', '-A', '--containers')).toMatch(/default +two +b +\d+m +\d+Mi/);
      expect(await client.text('top', 'pod', 'two')).toMatch(/\ntwo +\d+m +\d+Mi/);
      expect((await client.run(['top', 'pod', 'nobody'])).stderr).toContain('not found');
    }
    await kubectl.run(['exec', 'p', '--', 'killall', 'yes']);
    await busy.ended;
  });
}
