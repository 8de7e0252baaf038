import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '@edge/core';
import { eventually } from '@edge/testing';
import { build } from 'esbuild';
import { layInstallation, layoutOf, openInstallation, readJournal, Versions, versionFolder, type Installation, type Layout } from '../../src/index.js';
import { MAIN_FILE, WHOLE_FILE } from '../../src/layout/layout.js';

const KILL_AT = fileURLToPath(new URL('./kill-at.mjs', import.meta.url));

/** How the agent of a played version behaves. */
export type Behaviour = 'good' | 'never-ready' | 'exits' | 'hangs' | 'spoils';

/** Bundles the played program once for all scenes. */
export async function bundleFake(): Promise<{ readonly path: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-fake-'));
  const path = join(folder, 'main.js');
  const tsconfig = fileURLToPath(new URL('../../../../tsconfig.base.json', import.meta.url));
  const banner = { js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);" };
  await build({ entryPoints: [fileURLToPath(new URL('./fake-main.ts', import.meta.url))], outfile: path, bundle: true, platform: 'node', target: 'node20', format: 'esm', tsconfig, banner, logLevel: 'warning' });
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

/** A node with an installation of played versions, and a parent that starts the launcher again whenever it ends. */
export interface NodeScene extends AsyncDisposable {
  readonly layout: Layout;
  readonly versions: Versions;
  readonly installation: Installation;
  readonly database: string;
  add(version: string, behaviour: Behaviour): Promise<void>;
  /** Lets the power fail when the journal says so; `upgrader`: that process alone dies. */
  killAt(phase: string, whom: 'all' | 'upgrader'): void;
  /** Resolves when no change is under way and the current version is Ready. */
  settled(): Promise<void>;
  /** Whether the power failed as asked. */
  killed(): boolean;
  /** What happened that must not. */
  trouble(): string;
}

/** @param readyTimeoutSeconds where an order does not say */
export async function openNode(fake: string, readyTimeoutSeconds = 60): Promise<NodeScene> {
  const first = '1.0.0';
  const root = await mkdtemp(join(tmpdir(), 'edge-node-'));
  const layout = layoutOf(root);
  const versions = new Versions({ layout });
  const state = join(root, 'state');
  const database = join(state, 'data', 'edgecore.db');
  await mkdir(dirname(database), { recursive: true });
  writeFileSync(database, '');
  const configPath = join(state, 'edgecore.yaml');
  writeFileSync(configPath, 'good: 1\n');
  const add = async (version: string, behaviour: Behaviour): Promise<void> => {
    const folder = versionFolder(layout, version);
    const main = join(folder, MAIN_FILE);
    await mkdir(dirname(main), { recursive: true });
    await rm(main, { force: true });
    writeFileSync(main, readFileSync(fake));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'played.json'), JSON.stringify({ version, behaviour }));
    writeFileSync(join(folder, WHOLE_FILE), JSON.stringify({ version, integrity: '' }));
  };
  await add(first, 'good');
  const program = join(root, 'bin', 'edgecore');
  await layInstallation({ root, programPath: program, node: process.execPath, version: first, configPath, stateFolder: state, service: 'none' });
  const env = { ...process.env, NODE_OPTIONS: `--import=${KILL_AT}` };
  // The upgrader that a test starts through `installation` gets it, too.
  process.env['NODE_OPTIONS'] = env.NODE_OPTIONS;
  const parent = startParent(program, env);
  const installation = await openInstallation(root, {
    source: {},
    databasePath: database,
    readyTimeoutSeconds,
    settleSeconds: 0.5,
    editConfiguration: (text, fields) => `${text}${JSON.stringify(fields)}\n`,
    copyData: () => Promise.resolve(),
    log: silentLogger,
  });
  const status = (): { version?: string; pid?: number; ready?: boolean } => (existsSync(layout.status) ? (JSON.parse(readFileSync(layout.status, 'utf8')) as object) : {});
  const upgradeLog = (): string => (existsSync(layout.log) ? readFileSync(layout.log, 'utf8') : '');
  return {
    layout,
    versions,
    installation,
    database,
    add,
    killAt: (phase, whom) => writeFileSync(join(root, 'kill-at'), `${phase} ${whom}`),
    settled: async () => {
      const look = (): Promise<true> => eventually(
        async () => {
          const { version, pid, ready } = status();
          const works = ready === true && pid !== undefined && version === (await versions.current()) && existsSync(`/proc/${pid}`);
          return (await readJournal(layout)) === undefined && works ? true : undefined;
        },
        () => `${JSON.stringify(status())}, journal ${existsSync(layout.journal) ? readFileSync(layout.journal, 'utf8') : 'none'}\n${upgradeLog()}`,
      );
      // A time that a version does not use well, and the way back, on a machine with much else to do.
      await look().catch(look);
    },
    killed: () => existsSync(join(root, 'killed')),
    trouble: () => (existsSync(join(state, 'data', 'trouble')) ? readFileSync(join(state, 'data', 'trouble'), 'utf8') : ''),
    [Symbol.asyncDispose]: async () => {
      await parent.end();
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** What a service manager does with `Restart=always`. */
function startParent(program: string, env: NodeJS.ProcessEnv): { end(): Promise<void> } {
  let child: ChildProcess | undefined;
  let ended = false;
  const life = (async () => {
    while (!ended) {
      child = spawn(program, [], { stdio: 'ignore', env });
      await once(child, 'exit');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    end: async () => {
      ended = true;
      child?.kill('SIGKILL');
      await life;
    },
  };
}
