import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** What npm is told, so that neither questions nor advice of others count. */
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];

/** Builds and packs the agent's packages; the benchmark runs in the workspace's root. @returns the archives */
export function packAgent(folder: string): string[] {
  const names = [...closure()];
  run('npx', ['nx', 'run-many', '-t', 'build', '-p', names.join(','), '--output-style=static']);
  mkdirSync(folder, { recursive: true });
  run('npm', ['pack', ...names.map((name) => `--workspace=packages/${name}`), '--ignore-scripts', '--pack-destination', folder, '--loglevel=error']);
  return readdirSync(folder).map((file) => join(folder, file));
}

/**
 * Installs the agent from its archives; what others have made comes from the registry, or from what npm remembers of it.
 * @param omit leaves out what is optional: SQLite's library
 * @returns seconds that npm took
 */
export function installAgent(folder: string, archives: readonly string[], omit = false): number {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const begun = performance.now();
  run('npm', ['install', ...QUIET, '--prefer-offline', ...(omit ? ['--omit=optional'] : []), ...archives], folder);
  return (performance.now() - begun) / 1000;
}

/** Folders of the packages that the program is made of. */
function closure(): Set<string> {
  const found = new Set<string>();
  const open = ['cli'];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(join('packages', name, 'package.json'), 'utf8')) as Manifest;
    open.push(...Object.keys({ ...dependencies, ...peerDependencies }).filter((full) => full.startsWith('@edge/')).map((full) => full.slice('@edge/'.length)));
  }
  return found;
}

function run(command: string, args: readonly string[], cwd?: string): void {
  const { status, stderr, stdout } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' }, ...(cwd === undefined ? {} : { cwd }) });
  if (status !== 0) throw new Error(`${command} ${args.slice(0, 3).join(' ')} … ended with ${status}:\n${stdout}\n${stderr}`);
}
