import { execFileSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { order } from '../../packages/cli/src/control/control-client.js';
import type { SwapRequest } from '../../packages/cli/src/control/control-protocol.js';
import type { SwapReport } from '../../packages/cli/src/control/module-orders.js';
import { agentConfig } from '../../packages/cli/src/dev/agent-config.js';
import { killPodProcesses } from '../../packages/cli/test/support/leftovers.js';
import { freePorts } from '../../packages/testing/src/ports/free-ports.js';
import { reportMemory, startAgent, stopAgent } from './agent-process.js';
import { startHelper } from './ask.js';
import { figure } from './figure.js';

const ROUNDS = process.argv.includes('--quick') ? 3 : 11;
const ROLES = ['metamanager', 'metaserver', 'eventbus', 'devicetwin', 'edged', 'taskmanager', 'edgehub'] as const;
const NODE = 'edge-1';
const long = AbortSignal.timeout(3_600_000);

/** Makes a module of the checkout a package of one file in a folder of its own. */
function copyOf(role: string, folder: string): NonNullable<SwapRequest['entry']> {
  const own = join(folder, 'copies', role, 'node_modules', '@edge', role);
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'package.json'), JSON.stringify({ name: `@edge/${role}`, version: '0.1.0', type: 'module', exports: './index.js' }));
  const banner = "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);";
  execFileSync('node_modules/.bin/esbuild', [
    `packages/${role}/src/index.ts`, `--outfile=${join(own, 'index.js')}`, '--bundle', '--platform=node', '--target=node20', '--format=esm', '--minify', '--tsconfig=tsconfig.base.json',
    '--external:libsql', '--external:bufferutil', '--external:utf-8-validate', `--banner:js=${banner}`, '--log-level=warning',
  ]);
  return { package: `@edge/${role}`, version: '0.1.0', folder: join(folder, 'copies', role) };
}

async function run(folder: string): Promise<void> {
  await using cloud = startHelper('minicloud');
  const { hubAddress, httpsUrl, token } = await cloud.ask<{ hubAddress: string; httpsUrl: string; token: string }>({ do: 'start', dataDir: join(folder, 'cloud') });
  const ports = await freePorts(3);
  const text = agentConfig({ data: folder, node: NODE, runtime: 'process', hubAddress, httpsUrl, kubeletPort: ports, mqttPort: ports + 1, nodeApiPort: ports + 2, token });
  writeFileSync(join(folder, 'edgecore.yaml'), text.replace(/^edge:$/m, 'edge:\n  upgrade: { settleSeconds: 0 }'));
  const copies = new Map(ROLES.map((role) => [role, copyOf(role, folder)]));
  const agent: ChildProcess = startAgent(folder);
  try {
    await cloud.ask({ do: 'ready', node: NODE, after: '' });
    const swap = async (role: string, entry?: SwapRequest['entry']): Promise<SwapReport> => (await order(join(folder, 'agent', 'edgecore.sock'), { order: 'swap', role, entry }, () => undefined, long)) as SwapReport;
    reportMemory('agent, before any swap', agent);
    const first = new Map<string, number>();
    for (const role of ROLES) {
      const gaps: number[] = [];
      const whole: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const entry of [copies.get(role), undefined]) {
          const begun = performance.now();
          const { result, pausedMs, reason } = await swap(role, entry);
          if (result !== 'swapped') throw new Error(`${role} was not swapped: ${reason ?? ''}`);
          if (!first.has(role)) first.set(role, performance.now() - begun);
          gaps.push(pausedMs);
          whole.push(performance.now() - begun);
        }
      }
      for (const list of [gaps, whole]) list.sort((a, b) => a - b);
      const middle = Math.floor(gaps.length / 2);
      figure(`swap of ${role}, messages for it wait`, gaps[middle] ?? 0, 'ms', `${gaps.length} swaps, ${gaps[0]?.toFixed(1)} to ${gaps.at(-1)?.toFixed(1)}; the order takes ${whole[middle]?.toFixed(0)} ms without the time of watching, the first, which reads the code, ${first.get(role)?.toFixed(0)}`);
    }
    reportMemory(`agent, after ${ROLES.length * ROUNDS * 2} swaps of ${ROLES.length} modules`, agent);
  } finally {
    await stopAgent(agent);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'edge-bench-'));
try {
  mkdirSync(join(folder, 'agent'));
  await run(folder);
} finally {
  killPodProcesses(folder);
  rmSync(folder, { recursive: true, force: true });
}
