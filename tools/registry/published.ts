import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publishAll } from './publish.js';
import { startRegistry, type Registry } from './registry.js';
import { readManifest, root, type Manifest } from './root.js';
import { mustRun } from './run.js';

/** The lines of Node.js besides the one that runs this test; each comes as a package. */
export const OTHER_LINES = ['22', '24'].filter((line) => !process.versions.node.startsWith(`${line}.`));
/** The line that runs this test, then the others. */
export const LINES = [process.versions.node.split('.')[0] ?? '', ...OTHER_LINES];

/** What everybody finds who installs from a registry: all packages of the workspace, published, and two installations of them. */
export interface Published extends AsyncDisposable {
  /** Everything below it is the test's own; removed in the end. */
  readonly folder: string;
  readonly registry: Registry;
  /** `npm install` of every package, side by side in an empty folder. */
  readonly app: string;
  /** `npm install --global` of the agent alone; the program is in its `bin`. */
  readonly global: string;
  /** Of all packages of `app`. */
  readonly manifests: readonly Manifest[];
  /** The program of a line of Node.js. */
  node(line: string): string;
  /** Runs npm with the registry, in a folder; resolves with what it printed. */
  npm(folder: string, ...args: string[]): Promise<string>;
}

/** Folder of a package in an installation. */
export function packageFolder(installation: string, name: string): string {
  return join(installation, 'node_modules', ...name.split('/'));
}

/** Builds, publishes and installs. */
export async function publishAndInstall(): Promise<Published> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-published-'));
  const [app, global, nodes] = ['app', 'global', 'nodes'].map((name) => join(folder, name)) as [string, string, string];
  for (const path of [app, global, nodes]) mkdirSync(path);
  // What npm's `node` package brings, without its install script: one package per platform.
  const wanted = OTHER_LINES.map((line) => `node${line}@npm:node-${process.platform}-${process.arch}@${line}`);
  const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  const [registry] = await Promise.all([publish(), mustRun('npm', [...install, ...wanted], nodes)]);

  const npm = (cwd: string, ...args: string[]): Promise<string> => mustRun('npm', args, cwd, registry.env);
  const names = readdirSync(join(root, 'packages')).map((name) => readManifest(join(root, 'packages', name)).name);
  // The test kit has vitest as its peer; without a version npm would take one that is too new for this Node.js.
  const { version } = readManifest(join(root, 'node_modules', 'vitest'));
  await Promise.all([npm(app, ...install, ...names, `vitest@${version}`), npm(global, ...install, '--global', '--prefix', global, '@edge/cli')]);
  return {
    folder,
    registry,
    app,
    global,
    manifests: readdirSync(join(app, 'node_modules', '@edge')).map((name) => readManifest(packageFolder(app, `@edge/${name}`))),
    node: (line) => (OTHER_LINES.includes(line) ? join(nodes, 'node_modules', `node${line}`, 'bin', 'node') : process.execPath),
    npm,
    [Symbol.asyncDispose]: async () => {
      await registry[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function publish(): Promise<Registry> {
  const elsewhere = await mustRun('npm', ['config', 'get', 'registry'], root);
  const registry = await startRegistry(elsewhere.trim());
  await publishAll(root, registry);
  return registry;
}
