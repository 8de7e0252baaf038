import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentConfig } from '../../packages/cli/src/dev/agent-config.js';
import { cpuSeconds, memory, pause, PROGRAM, startAgent, stopAgent } from './agent-process.js';
import { startHelper } from './ask.js';
import { figure } from './figure.js';
import { installAgent, packAgent } from './packed-install.js';

const QUICK = process.argv.includes('--quick');
const STARTS = QUICK ? 3 : 7;
const SETTLE_MS = QUICK ? 5_000 : 20_000;

/** One way of running the agent, with what was measured of it. */
interface Way {
  readonly name: string;
  readonly program: string;
  readonly folder: string;
  heartbeat: string;
  readonly seconds: number[];
  readonly processor: number[];
}

const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function run(folder: string): Promise<void> {
  const installed = join(folder, 'installed');
  installAgent(installed, packAgent(join(folder, 'archives')));
  await using cloud = startHelper('minicloud');
  const { hubAddress, httpsUrl, token } = await cloud.ask<{ hubAddress: string; httpsUrl: string; token: string }>({ do: 'start', dataDir: join(folder, 'cloud') });
  const programs = { packages: join(installed, 'node_modules', '@edge', 'cli', 'dist', 'main.js'), 'one file': PROGRAM };
  const ways = Object.entries(programs).map(([name, program]): Way => {
    const data = join(folder, name.replace(' ', '-'));
    mkdirSync(data);
    writeFileSync(join(data, 'edgecore.yaml'), agentConfig({ data, node: name.replace(' ', '-'), runtime: 'process', hubAddress, httpsUrl, kubeletPort: 0, token }));
    return { name, program, folder: data, heartbeat: '', seconds: [], processor: [] };
  });
  const start = async (way: Way, counts: boolean): Promise<ChildProcess> => {
    // Heartbeats have whole seconds: the next one has to differ.
    await pause(1100);
    const begun = Date.now();
    const agent = startAgent(way.folder, way.program);
    const ready = await cloud.ask<{ at: number; heartbeat: string }>({ do: 'ready', node: way.folder.split('/').at(-1), after: way.heartbeat });
    way.heartbeat = ready.heartbeat;
    if (counts) {
      way.seconds.push((ready.at - begun) / 1000);
      way.processor.push(cpuSeconds(agent));
    }
    return agent;
  };
  // The first start gets the certificate and does not count. One way after the other, so that both meet the same machine.
  for (let round = 0; round <= STARTS; round += 1) for (const way of ways) await stopAgent(await start(way, round > 0));
  const used = [];
  for (const way of ways) {
    // Alone on the machine: shared pages would count for each.
    const agent = await start(way, false);
    await pause(SETTLE_MS);
    used.push(memory(agent));
    await stopAgent(agent);
  }
  const [packages, oneFile] = ways as [Way, Way];
  for (const [index, { name, seconds, processor }] of ways.entries()) {
    figure(`${name}, start to Ready`, middle(seconds), 's', `${STARTS} starts took ${seconds.map((time) => time.toFixed(2)).join(', ')}; ${middle(processor).toFixed(2)} s of processor time`);
    const { resident, proportional, private: own } = used[index] ?? { resident: 0, proportional: 0, private: 0 };
    figure(`${name}, memory while idle`, resident, 'MB', `${proportional.toFixed(1)} MB with shared pages in shares, ${own.toFixed(1)} MB private`);
  }
  figure('one file to packages, start', middle(oneFile.seconds) / middle(packages.seconds), 'ratio', `processor time ${(middle(oneFile.processor) / middle(packages.processor)).toFixed(2)}`);
  figure('one file to packages, memory', (used[1]?.resident ?? 0) / (used[0]?.resident ?? 1), 'ratio', `private ${((used[1]?.private ?? 0) / (used[0]?.private ?? 1)).toFixed(2)}`);
}

const folder = mkdtempSync(join(tmpdir(), 'edge-bench-'));
try {
  await run(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
