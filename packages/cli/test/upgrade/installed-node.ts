import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '@edge/core';
import { startMinicloud, type Minicloud } from '@edge/minicloud';
import type { KubeNode, Pod } from '@edge/protocol';
import { freePort } from '@edge/testing';
import { layInstallation, layoutOf, prepareVersion, readJournal, Versions, type Layout } from '@edge/upgrade';
import { agentConfig } from '../../src/dev/agent-config.js';
import { eventually, temporaryFolder } from '../support/agent.js';
import { killPodProcesses } from '../support/leftovers.js';
import { NODE } from '../support/scene.js';

/** A node whose agent is installed, and kept running by a parent; its cloud. */
export interface InstalledNode extends AsyncDisposable {
  readonly folder: string;
  readonly layout: Layout;
  readonly versions: Versions;
  readonly cloud: Minicloud;
  pod(name: string): Pod | undefined;
  /** Runs the installed program; its output and code. */
  edgecore(...args: string[]): Promise<{ readonly code: number | null; readonly output: string }>;
  /** Starts the installed program. */
  spawn(...args: string[]): ChildProcess;
  agentPid(): number;
  /** The node runs this version, without a change under way, and the cloud hears that it is Ready. */
  runs(version: string, timeoutMs?: number): Promise<void>;
  readonly log: string;
}

/** Installs `version` from the folder and starts it. `env` is that of the agent and all that it starts. */
export async function installNode(archives: string, version: string, env: NodeJS.ProcessEnv = {}): Promise<InstalledNode> {
  const folder = await temporaryFolder();
  const root = join(folder.path, 'installation');
  const layout = layoutOf(root);
  const versions = new Versions({ layout });
  await prepareVersion(version, undefined, { layout, versions, source: { from: archives }, log: silentLogger, signal: AbortSignal.timeout(120_000) });
  const cloud = await startMinicloud({ dataDir: join(folder.path, 'cloud'), nodeGraceMs: 15_000 });
  const node = join(folder.path, 'node');
  mkdirSync(join(node, 'state'), { recursive: true });
  const configPath = join(node, 'edgecore.yaml');
  const text = agentConfig({ data: node, node: NODE, runtime: 'process', hubAddress: cloud.hubAddress, httpsUrl: `https://${cloud.httpsAddress}`, kubeletPort: await freePort(), token: cloud.token() });
  writeFileSync(configPath, `${text.replace(/^edge:$/m, 'edge:\n  upgrade: { readyTimeoutSeconds: 90, settleSeconds: 1 }')}`);
  const program = join(folder.path, 'bin', 'edgecore');
  await layInstallation({ root, programPath: program, node: process.execPath, version, configPath, stateFolder: join(node, 'state'), service: 'none' });
  const environment = { ...process.env, CHECK_EDGECORE_ENVIRONMENT: 'false', NODE_OPTIONS: '', ...env };
  const logPath = join(node, 'agent.log');
  const parent = keepRunning(program, ['--config', configPath], logPath, environment);
  const log = (): string => (existsSync(logPath) ? readFileSync(logPath, 'utf8') : '');
  const status = (): { pid?: number; version?: string; ready?: boolean; link?: boolean } => (existsSync(layout.status) ? (JSON.parse(readFileSync(layout.status, 'utf8')) as object) : {});
  const heard = (): boolean => cloud.api.resource<KubeNode>('v1', 'nodes').find(NODE)?.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
  const state = (): string => `status ${JSON.stringify(status())}\nupgrade:\n${existsSync(layout.log) ? readFileSync(layout.log, 'utf8').slice(-2500) : ''}\nagent:\n${log().slice(-2500)}`;
  const start = (...args: string[]): ChildProcess => spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
  return {
    folder: folder.path,
    layout,
    versions,
    cloud,
    pod: (name) => cloud.api.resource<Pod>('v1', 'pods').find(name, 'default'),
    spawn: start,
    edgecore: async (...args) => {
      const child = start(...args);
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, output };
    },
    agentPid: () => Number(readFileSync(layout.agentPid, 'utf8')),
    runs: (wanted, timeoutMs = 90_000) =>
      eventually(
        async () => {
          const { pid, version: now, ready, link } = status();
          return (await readJournal(layout)) === undefined && now === wanted && ready === true && link === true && existsSync(`/proc/${pid ?? 'none'}`) && heard();
        },
        timeoutMs,
        () => `version ${wanted} does not run; ${state()}`,
      ),
    get log() {
      return log();
    },
    [Symbol.asyncDispose]: async () => {
      await parent.end();
      await cloud.close();
      killPodProcesses(folder.path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** What a service manager does: starts the launcher again, half a second after it has ended. */
function keepRunning(program: string, args: readonly string[], logPath: string, env: NodeJS.ProcessEnv): { end(): Promise<void> } {
  let child: ChildProcess | undefined;
  let ended = false;
  const life = (async () => {
    while (!ended) {
      const log = openSync(logPath, 'a');
      child = spawn(program, [...args], { stdio: ['ignore', log, log], env });
      closeSync(log);
      await once(child, 'exit');
      if (!ended) await new Promise((resolve) => setTimeout(resolve, 500));
    }
  })();
  return {
    end: async () => {
      ended = true;
      child?.kill('SIGTERM');
      const hard = setTimeout(() => child?.kill('SIGKILL'), 15_000);
      await life;
      clearTimeout(hard);
    },
  };
}
