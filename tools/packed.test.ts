import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { eventually } from '../packages/cli/test/support/agent.js';
import { startDev } from '../packages/cli/test/support/dev.js';
import { killPodProcesses, podProcesses } from '../packages/cli/test/support/leftovers.js';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const examples = join(root, 'examples', 'hello');
/** The lines of Node.js besides the one that runs this test; each comes as a package. */
const OTHER_LINES = ['22', '24'].filter((line) => !process.versions.node.startsWith(`${line}.`));
const LINES = [process.versions.node.split('.')[0] ?? '', ...OTHER_LINES];

let folder = '';
let app = '';
let manifests: readonly Manifest[] = [];

/** Runs a command to its end; never rejects. */
async function run(command: string, args: readonly string[], cwd: string): Promise<{ status: number; output: string; stdout: string }> {
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', VITEST: undefined, NODE_OPTIONS: undefined, NODE_ENV: undefined };
  const outcome = promisify(execFile)(command, args, { cwd, env, maxBuffer: 2 ** 26 });
  const { code = 0, stdout, stderr } = (await outcome.catch((error: unknown) => error)) as { code?: number; stdout: string; stderr: string };
  return { status: code, output: `${stdout}\n${stderr}`, stdout };
}

async function mustRun(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { status, output, stdout } = await run(command, args, cwd);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${output}`);
  return stdout;
}

/** The program of a line of Node.js. */
function node(line: string): string {
  return OTHER_LINES.includes(line) ? join(folder, 'nodes', 'node_modules', `node${line}`, 'bin', 'node') : process.execPath;
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest;
}

const packageFolder = (name: string): string => join(app, 'node_modules', ...name.split('/'));

/** Packs every package and installs the archives, with what they need from the registry, into an empty folder. */
async function installPacked(): Promise<void> {
  await mustRun('npx', ['nx', 'run-many', '-t', 'build', '--output-style=static'], root);
  const archives = join(folder, 'archives');
  mkdirSync(archives);
  const packages = readdirSync(join(root, 'packages')).map((name) => `--workspace=packages/${name}`);
  await mustRun('npm', ['pack', ...packages, '--ignore-scripts', '--pack-destination', archives, '--loglevel=error'], root);
  const files = readdirSync(archives).map((file) => join(archives, file));
  // The test kit has vitest as its peer; without a version npm would take one that is too new for this Node.js.
  const { version } = readManifest(join(root, 'node_modules', 'vitest'));
  await mustRun('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...files, `vitest@${version}`], app);
}

/** What npm's `node` package brings, without its install script: one package per platform. */
async function installNodes(): Promise<void> {
  const platform = `node-${process.platform}-${process.arch}`;
  const wanted = OTHER_LINES.map((line) => `node${line}@npm:${platform}@${line}`);
  await mustRun('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...wanted], join(folder, 'nodes'));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-packed-'));
  app = join(folder, 'app');
  mkdirSync(app);
  mkdirSync(join(folder, 'nodes'));
  await Promise.all([installPacked(), installNodes()]);
  manifests = readdirSync(join(app, 'node_modules', '@edge')).map((name) => readManifest(packageFolder(`@edge/${name}`)));
}, 1_200_000);

afterAll(() => {
  if (folder === '') return;
  killPodProcesses(folder);
  rmSync(folder, { recursive: true, force: true });
});

describe('packed install', () => {
  it('[packed-1.1] holds every package of the workspace, each with its version', () => {
    const expected = readdirSync(join(root, 'packages')).map((name) => readManifest(join(root, 'packages', name)));
    expect(manifests.map(({ name, version }) => `${name} ${version}`).sort()).toEqual(expected.map(({ name, version }) => `${name} ${version}`).sort());
  });

  it('[packed-1.2] answers --version, checks its modules and prints a default configuration', async () => {
    const { version } = readManifest(packageFolder('@edge/cli'));
    expect(await mustRun('npx', ['--no', '--', 'edgecore', '--version'], app)).toContain(`@edge/cli ${version}`);
    const modules = await mustRun('npx', ['--no', '--', 'edgecore', 'modules', '--check'], app);
    for (const name of ['edgehub', 'metamanager', 'metaserver', 'eventbus', 'devicetwin', 'edged', 'edgestream', 'taskmanager']) expect(modules).toContain(`@edge/${name}`);
    expect(parse(await mustRun('npx', ['--no', '--', 'edgecore', '--defaultconfig'], app))).toMatchObject({ kind: 'EdgeCore', modules: { edgeHub: { enable: true } } });
  });

  it('[packed-1.3] no package imports a file outside of itself or a package that it does not declare', async () => {
    const wrong: string[] = [];
    for (const { name, dependencies = {}, peerDependencies = {} } of manifests) {
      const dist = join(packageFolder(name), 'dist');
      const entryPoints = readdirSync(dist).filter((file) => file.endsWith('.js')).map((file) => join(dist, file));
      const { metafile } = await build({ entryPoints, bundle: true, write: false, outdir: folder, format: 'esm', platform: 'node', packages: 'external', metafile: true, absWorkingDir: folder, logLevel: 'silent' });
      for (const file of Object.keys(metafile.inputs)) {
        if (!resolve(folder, file).startsWith(packageFolder(name) + sep)) wrong.push(`${name} imports ${file}`);
      }
      const declared = new Set([name, ...Object.keys(dependencies), ...Object.keys(peerDependencies), ...builtinModules]);
      for (const { path, external } of Object.values(metafile.inputs).flatMap(({ imports }) => imports)) {
        if (external && !path.startsWith('node:') && !declared.has(packageOf(path))) wrong.push(`${name} imports ${path}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('[packed-1.4] whoever installs the program alone gets every peer that its packages ask for', () => {
    const reached = new Set<string>();
    const visit = (name: string): void => {
      if (reached.has(name)) return;
      reached.add(name);
      for (const next of Object.keys(manifests.find((manifest) => manifest.name === name)?.dependencies ?? {})) visit(next);
    };
    visit('@edge/cli');
    const peers = manifests.filter(({ name }) => reached.has(name)).flatMap(({ name, peerDependencies = {} }) => Object.keys(peerDependencies).map((peer) => [name, peer] as const));
    expect(peers.length).toBeGreaterThan(0);
    expect(peers.filter(([, peer]) => !reached.has(peer))).toEqual([]);
    expect(reached.has('@edge/testing')).toBe(false);
  });

  it('[packed-1.5] npm finds nothing missing and nothing that does not fit', async () => {
    expect(await run('npm', ['ls', '--all'], app)).toMatchObject({ status: 0 });
  });
});

describe.each(LINES)('packed install on Node.js %s', (line) => {
  it(`[packed-2.1] every package can be imported (Node.js ${line})`, async () => {
    // The test kit registers tests when it is loaded, so it is for vitest alone.
    const names = manifests.map(({ name }) => name).filter((name) => name !== '@edge/testing');
    // Each by itself where this test runs; all in one process on the others.
    for (const together of OTHER_LINES.includes(line) ? [names] : names.map((name) => [name])) {
      const script = `import 'reflect-metadata'; for (const name of ${JSON.stringify(together)}) console.log(name, Object.keys(await import(name)).length)`;
      const lines = (await mustRun(node(line), ['--input-type=module', '-e', script], app)).trim().split('\n');
      expect(lines.map((text) => text.split(' ')[0])).toEqual(together);
      expect(lines.filter((text) => Number(text.split(' ')[1]) === 0)).toEqual([]);
    }
  });

  it(`[packed-2.3] the example of a mapper, copied, runs on the installed packages (Node.js ${line})`, async () => {
    const copy = join(app, `thermostat-${line}`);
    mkdirSync(copy);
    for (const file of ['main.ts', 'thermostat.ts', 'room.ts']) copyFileSync(join(root, 'examples', 'thermostat', 'mapper', file), join(copy, file));
    await build({ entryPoints: [join(copy, 'main.ts')], outfile: join(copy, 'main.mjs'), bundle: true, packages: 'external', platform: 'node', format: 'esm', target: 'node20', tsconfigRaw: {}, logLevel: 'silent' });
    expect(await mustRun(node(line), [join(copy, 'main.mjs'), '--help'], copy)).toContain('--edgecore-sock');
  });

  it(`[packed-2.2] edgecore dev: the node becomes Ready, the example runs and ends, Ctrl-C stops both (Node.js ${line})`, async () => {
    const data = join(folder, `data-${line}`);
    try {
      await using dev = await startDev(data, [], [node(line), join(app, 'node_modules', '.bin', 'edgecore')]);
      await dev.said('Node edge-e2e is Ready', 120_000);
      await dev.kubectl('apply', '-f', examples);
      await dev.kubectl('wait', '--for=condition=Ready', 'pod/hello', '--timeout=120s');
      await dev.kubectl('rollout', 'status', 'deployment/ticker', '--timeout=120s');
      expect(await dev.kubectl('get', 'pod', 'hello')).toMatch(/hello\s+1\/1\s+Running\s/);
      expect(podProcesses(data).length).toBeGreaterThanOrEqual(3);
      const log = readFileSync(join(data, 'logs', 'agent.log'), 'utf8');
      const [, pid = '', version] = /I\d{4} \S+\s+(\d+) .*Version: .* node="([^"]+)"/.exec(log) ?? [];
      expect(version?.split('.')[0]).toBe(line);
      // Node.js has a SQLite of its own from 22.13 on; before, the native library has to be in the process.
      expect(readFileSync(`/proc/${pid}/maps`, 'utf8').includes('libsql')).toBe(Number(line) < 22);

      await dev.kubectl('delete', '-f', examples, '--timeout=120s');
      await eventually(() => podProcesses(data).length === 0, 60_000, () => `still there: ${JSON.stringify(podProcesses(data))}`);
      expect(await dev.interrupt()).toBe(0);
      expect(dev.output).toContain('Stopped.');
    } finally {
      killPodProcesses(data);
    }
  });
});

/** `@scope/name` or `name` of what an import names. */
function packageOf(path: string): string {
  return path.split('/').slice(0, path.startsWith('@') ? 2 : 1).join('/');
}
