import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FULL_TESTS } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const folders = readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'package.json')));

/** Folders of the packages that one names in its package.json, and those that they name, itself included. */
function needs(folder: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(folder)) return found;
  found.add(folder);
  const { dependencies, peerDependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')) as Manifest;
  const names = Object.keys({ ...dependencies, ...peerDependencies, ...devDependencies }).filter((name) => name.startsWith('@edge/'));
  for (const name of names) needs(name.slice('@edge/'.length), found);
  return found;
}

/** The checkout without all packages that `folder` does not name, and without anything built. */
async function sparseCopy(folder: string, copy: string): Promise<void> {
  const kept = needs(folder);
  const { stdout } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, maxBuffer: 2 ** 26 });
  for (const file of stdout.split('\n').filter((name) => name !== '' && existsSync(join(root, name)))) {
    const [, owner] = /^packages\/([^/]+)\//.exec(file) ?? [];
    if (owner === undefined || kept.has(owner)) cpSync(join(root, file), join(copy, file));
  }
  mkdirSync(join(copy, 'node_modules', '@edge'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')).filter((entry) => entry !== '@edge')) symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  for (const name of kept) {
    symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules', '@edge', name));
    // What npm could not put into the common folder.
    const own = join(root, 'packages', name, 'node_modules');
    if (existsSync(own)) cpSync(own, join(copy, 'packages', name, 'node_modules'), { recursive: true, dereference: false, filter: (path) => !path.includes('/.vite') });
  }
  await run('git', ['init', '-q'], { cwd: copy });
}

/** One module in every run; all with `EDGE_TESTS=full`, or those that `EDGE_SPARSE` names. */
const chosen = process.env['EDGE_SPARSE']?.split(',') ?? (FULL_TESTS ? folders : ['testmanager']);

describe.each(chosen)('%s without the packages that it does not name', (folder) => {
  let copy = '';
  beforeAll(async () => {
    copy = mkdtempSync(join(tmpdir(), 'edge-sparse-'));
    await sparseCopy(folder, copy);
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it('[alone-2.1] its tests pass by `nx test`, and nothing is built for them', async () => {
    const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', NX_WORKSPACE_ROOT_PATH: copy, NX_CACHE_DIRECTORY: join(copy, '.nx', 'cache'), VITEST: undefined, NODE_OPTIONS: undefined, NODE_ENV: undefined, EDGE_TESTS: undefined, NO_COLOR: '1', FORCE_COLOR: undefined };
    const { stdout } = await run('npx', ['nx', 'test', folder, '--output-style=static'], { cwd: copy, env, maxBuffer: 2 ** 26 }).catch((error: { stdout: string; stderr: string }) => {
      throw new Error(`the tests of ${folder} fail without the other packages:\n${error.stdout}\n${error.stderr}`);
    });
    expect(stdout).toMatch(/Tests\s+\d+ passed/);
    expect(stdout).toContain(`Successfully ran target test for project @edge/${folder}`);
    expect(readdirSync(join(copy, 'packages')).filter((name) => existsSync(join(copy, 'packages', name, 'dist')))).toEqual([]);
  }, 1_800_000);
});
