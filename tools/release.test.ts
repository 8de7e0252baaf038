import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readManifest, root } from './registry/root.js';
import { startRegistry } from './registry/registry.js';
import { mustRun, run, type Outcome } from './registry/run.js';

interface Decision {
  readonly first: boolean;
  readonly packages: readonly { readonly name: string; readonly to: string; readonly because: readonly string[] }[];
  readonly ranges: readonly { readonly package: string; readonly name: string; readonly to: string }[];
}

const FOLDERS = readdirSync(join(root, 'packages'));
const MODULES = FOLDERS.map((name) => readManifest(join(root, 'packages', name))).filter(({ peerDependencies = {} }) => 'inversify' in peerDependencies && '@edge/core' in peerDependencies).map(({ name }) => name);

let copy = '';
beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'edge-release-'));
  // What a release reads: no source, so that nx has little to look through.
  const files = ['package.json', 'package-lock.json', 'nx.json', 'tsconfig.base.json', '.gitignore', ...FOLDERS.map((name) => `packages/${name}/package.json`), 'examples/thermostat/mapper/package.json'];
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    // Whatever the last release was, here it is 0.1.0 of everything.
    const text = readFileSync(join(root, file), 'utf8').replace(/("@edge\/[a-z]+": )"\^\d+\.\d+\.\d+"/g, '$1"^0.1.0"');
    writeFileSync(join(copy, file), file.startsWith('packages/') ? text.replace(/("version": )"[^"]+"/, '$1"0.1.0"') : text);
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  writeFileSync(join(copy, '.git-exclude'), 'node_modules\n.git-exclude\n');
  git('init', '--quiet', '--initial-branch=main');
  for (const setting of [['core.excludesFile', join(copy, '.git-exclude')], ['user.name', 'tester'], ['user.email', 'tester@example.org'], ['commit.gpgSign', 'false'], ['tag.gpgSign', 'false']] as const) git('config', ...setting);
  commit();
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

function git(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', words, { cwd: copy, encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${words.join(' ')}: ${stderr}`);
  return stdout.trim();
}
function commit(): void {
  git('add', '--all');
  git('commit', '--quiet', '--message', 'change');
}
function plan(bumps: Readonly<Record<string, string>>, text: string): void {
  const folder = join(copy, '.nx', 'version-plans');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `plan-${readdirSync(folder).length}.md`), `---\n${Object.entries(bumps).map(([name, kind]) => `'${name}': ${kind}`).join('\n')}\n---\n\n${text}\n`);
}
const release = (...args: string[]): Promise<Outcome> => run(process.execPath, [join(root, 'tools', 'release.mjs'), ...args], copy, { NX_WORKSPACE_ROOT_PATH: copy, NO_COLOR: '1', FORCE_COLOR: undefined, CI: 'true' });
async function decided(): Promise<Decision> {
  const { status, output, stdout } = await release('--dry-run', '--json');
  expect(output).not.toContain('Error');
  expect(status).toBe(0);
  return JSON.parse(stdout) as Decision;
}
const versions = ({ packages }: Decision): Record<string, string> => Object.fromEntries(packages.map(({ name, to }) => [name, to]));
const manifestOf = (name: string): ReturnType<typeof readManifest> => readManifest(join(copy, 'packages', name));

it('[release-1.1] without tags it is the first release: everything goes out as it is, and --dry-run changes nothing', async () => {
  const first = await decided();
  expect(first.first).toBe(true);
  expect(versions(first)).toEqual(Object.fromEntries(FOLDERS.map(manifestOf).map(({ name, version }) => [name, version])));
  expect((await release('--dry-run')).stdout).toContain('The first release: every package goes out as it is.\n  @edge/cli 0.1.0\n');
  expect(git('status', '--porcelain') + git('tag')).toBe('');
  expect((await release()).status).toBe(0);
  expect(git('tag').split('\n')).toEqual(expect.arrayContaining(['contract@0.1.0', '@edge/cli@0.1.0', '@edge/edgehub@0.1.0']));
  expect((await release()).stdout).toContain('Nothing to release');
});

it('[release-1.2] a change of one module moves that module and the agent that brings it; a feature of the contract moves the contract as one, and no module', async () => {
  git('tag', 'contract@0.1.0');
  plan({ '@edge/edgehub': 'patch' }, 'Reconnects sooner.');
  expect(versions(await decided())).toEqual({ '@edge/edgehub': '0.1.1', '@edge/cli': '0.1.1' });
  plan({ contract: 'minor' }, 'A message kind more.');
  const both = await decided();
  expect(versions(both)).toEqual({ '@edge/edgehub': '0.1.1', '@edge/cli': '0.1.1', '@edge/protocol': '0.1.1', '@edge/core': '0.1.1', '@edge/testing': '0.1.1' });
  expect(both.ranges).toEqual([]);
  expect(both.packages.find(({ name }) => name === '@edge/cli')?.because).toEqual(['brings @edge/core 0.1.1, @edge/edgehub 0.1.1, @edge/protocol 0.1.1']);
});

it('[release-1.3] a breaking change of the contract breaks every module too, so that the ranges of agents of before do not take the new ones', async () => {
  git('tag', 'contract@0.1.0');
  plan({ contract: 'major' }, 'Modules get their clock otherwise.');
  const decision = await decided();
  expect(MODULES.length).toBeGreaterThanOrEqual(11);
  expect(versions(decision)).toMatchObject(Object.fromEntries([...MODULES, '@edge/core', '@edge/protocol', '@edge/testing', '@edge/cli'].map((name) => [name, '0.2.0'])));
  for (const name of MODULES) expect(decision.ranges).toContainEqual(expect.objectContaining({ package: name, field: 'peerDependencies', name: '@edge/core', to: '^0.2.0' }));
  for (const name of MODULES.filter((module) => module !== '@edge/testing')) expect(decision.ranges).toContainEqual(expect.objectContaining({ package: '@edge/cli', name, to: '^0.2.0' }));
});

it('[release-1.4] a plan that cannot be followed is refused with what would be right', async () => {
  git('tag', 'contract@0.1.0');
  for (const [bumps, text] of [[{ '@edge/edgehubb': 'patch' }, '"@edge/edgehubb", which is no package that is released; there are contract, '], [{ '@edge/edgehub': 'small' }, '"small" for @edge/edgehub; write patch, minor or major']] as const) {
    plan(bumps, 'A change.');
    expect(await release('--dry-run')).toMatchObject({ status: 1, output: expect.stringContaining(text) as string });
    rmSync(join(copy, '.nx', 'version-plans'), { recursive: true });
  }
  plan({ '@edge/edgehub': 'patch' }, '');
  expect(await release('--dry-run')).toMatchObject({ status: 1, output: expect.stringContaining('plan-0.md is no version plan') as string });
  expect(await release('--dryrun')).toMatchObject({ status: 1, output: expect.stringContaining('--dryrun: the flags are --dry-run, --json, --publish') as string });
});

it('[release-3.1] each package goes out after what it needs, and only what the registry does not have', async () => {
  await using registry = await startRegistry('http://127.0.0.1:1/');
  const publish = ['--publish', '--dry-run', '--json'];
  const ask = async (): Promise<string[]> => JSON.parse((await run(process.execPath, [join(root, 'tools', 'release.mjs'), ...publish], copy, registry.env)).stdout) as string[];
  const out = await ask();
  expect([...out].sort()).toEqual(FOLDERS.map((name) => `${manifestOf(name).name}@0.1.0`).sort());
  const early = FOLDERS.map(manifestOf).flatMap(({ name, dependencies, peerDependencies }) => Object.keys({ ...dependencies, ...peerDependencies }).filter((needed) => out.indexOf(`${needed}@0.1.0`) > out.indexOf(`${name}@0.1.0`)).map((needed) => `${name} before ${needed}`));
  expect(early).toEqual([]);
  mkdirSync(join(copy, 'packages', 'edgehub', 'dist'));
  await mustRun('npm', ['publish', '--workspace=packages/edgehub', '--ignore-scripts', '--no-provenance'], copy, registry.env);
  expect(await ask()).toEqual(out.filter((name) => name !== '@edge/edgehub@0.1.0'));
});

it('[release-2.1] a release writes versions, ranges, lock file and a changelog for each package, commits and tags, and uses the plans up', async () => {
  git('tag', 'contract@0.1.0');
  plan({ contract: 'major' }, 'Modules get their clock otherwise.');
  plan({ '@edge/edgehub': 'patch' }, 'Reconnects sooner.');
  commit();
  const { status, output } = await release();
  if (status !== 0) throw new Error(output.slice(-4000));
  expect(manifestOf('edgehub')).toMatchObject({ version: '0.2.0', peerDependencies: { '@edge/core': '^0.2.0', '@edge/protocol': '^0.2.0' }, devDependencies: { '@edge/testing': '^0.2.0' } });
  expect(manifestOf('cli')).toMatchObject({ version: '0.2.0', dependencies: { '@edge/edgehub': '^0.2.0', '@edge/core': '^0.2.0' } });
  const { packages } = JSON.parse(readFileSync(join(copy, 'package-lock.json'), 'utf8')) as { packages: Record<string, unknown> };
  expect(packages['packages/edgehub']).toMatchObject({ version: '0.2.0', peerDependencies: { '@edge/core': '^0.2.0' } });
  const changelog = (name: string): string => readFileSync(join(copy, 'packages', name, 'CHANGELOG.md'), 'utf8');
  expect(changelog('core')).toContain('Modules get their clock otherwise.');
  expect(changelog('edgehub')).toMatch(/0\.2\.0[^]*Reconnects sooner\./);
  expect(changelog('metamanager')).toMatch(/0\.2\.0[^]*Needs @edge\/core \^0\.2\.0/);
  expect(changelog('metamanager')).not.toContain('Reconnects sooner');
  expect(changelog('cli')).toMatch(/0\.2\.0[^]*Brings [^]*@edge\/edgehub 0\.2\.0/);
  expect(existsSync(join(copy, '.nx', 'version-plans'))).toBe(false);
  expect(git('status', '--porcelain')).toBe('');
  expect(git('tag', '--points-at', 'HEAD').split('\n')).toEqual(expect.arrayContaining(['contract@0.2.0', '@edge/edgehub@0.2.0', '@edge/cli@0.2.0']));
  expect((await release('--dry-run')).stdout).toContain('Nothing to release');
});
