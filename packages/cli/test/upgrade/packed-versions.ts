import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AGENT_VERSION } from '../../src/version.js';
import { PROGRAM } from '../support/agent.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/** Another version of the program. */
export interface PackedVersion {
  readonly version: string;
  /** Put in front of the program's own code. */
  readonly prelude?: string;
}

/**
 * Packs versions of `@edge/cli`, as `npm pack` does, and the libraries with native code that it needs, into a folder. The program is
 * the bundled one.
 */
export async function packVersions(folder: string, versions: readonly PackedVersion[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const libsql = dirname(require.resolve('libsql'));
  const inLibsql = createRequire(join(libsql, 'package.json'));
  const native = readPackage(libsql).optionalDependencies ?? {};
  const installed = Object.keys(native).flatMap((name) => folderOf(name, inLibsql));
  const others = Object.keys(readPackage(libsql).dependencies ?? {}).flatMap((name) => folderOf(name, inLibsql));
  for (const source of [...installed, ...others]) await packFolder(source, folder, {});
  const there = Object.fromEntries(Object.entries(native).filter(([name]) => folderOf(name, inLibsql).length > 0));
  await packFolder(libsql, folder, { optionalDependencies: there });
  for (const version of versions) await packProgram(version, folder, String(readPackage(libsql)['version']));
}

async function packProgram({ version, prelude = '' }: PackedVersion, folder: string, libsqlVersion: string): Promise<void> {
  const work = join(folder, `program-${version}`);
  await mkdir(join(work, 'package', 'dist'), { recursive: true });
  const manifest = { name: '@edge/cli', version, type: 'module', engines: { node: '>=20.19' }, dependencies: { libsql: libsqlVersion } };
  writeFileSync(join(work, 'package', 'package.json'), JSON.stringify(manifest));
  const program = readFileSync(PROGRAM, 'utf8').replace(`name:"@edge/cli",version:"${AGENT_VERSION}"`, `name:"@edge/cli",version:"${version}"`);
  const [first = '', ...rest] = program.split('\n');
  writeFileSync(join(work, 'package', 'dist', 'main.js'), [first, prelude, ...rest].join('\n'), { mode: 0o755 });
  await run('tar', ['-czf', join(folder, `edge-cli-${version}.tgz`), '-C', work, 'package']);
  await rm(work, { recursive: true });
}

async function packFolder(source: string, folder: string, over: object): Promise<void> {
  const manifest = readPackage(source);
  const name = String(manifest['name']).replace('@', '').replace('/', '-');
  const work = join(folder, name);
  await cp(source, join(work, 'package'), { recursive: true, filter: (path) => !path.slice(source.length).includes('node_modules') });
  const { scripts: _, devDependencies: __, ...plain } = manifest;
  writeFileSync(join(work, 'package', 'package.json'), JSON.stringify({ ...plain, ...over }));
  await run('tar', ['-czf', join(folder, `${name}-${String(manifest['version'])}.tgz`), '-C', work, 'package']);
  await rm(work, { recursive: true });
}

function folderOf(name: string, from: NodeJS.Require): string[] {
  const found = (from.resolve.paths(name) ?? []).map((path) => join(path, name)).find((path) => existsSync(join(path, 'package.json')));
  return found === undefined ? [] : [found];
}

function readPackage(folder: string): Record<string, unknown> & { dependencies?: Record<string, string>; optionalDependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
}
