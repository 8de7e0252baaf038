import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { silentLogger } from '@edge/core';
import { layoutOf, prepareVersion, Versions } from '@edge/upgrade';
import { nextRelease } from './next-release.js';
import { publishAll } from './publish.js';
import type { Published } from './published.js';
import { run } from './run.js';

/** Installations of several releases: the packages as they are, a repair of everything, and a contract that breaks. */
export interface Mixed {
  /** The packages that are modules of the agent. */
  readonly modules: readonly string[];
  /** Version of a package in the release of today, after the repair, after the break. */
  readonly today: (name: string) => string;
  readonly repaired: (name: string) => string;
  readonly broken: (name: string) => string;
  /** Everything of today, and one module repaired by `npm install` of it. */
  readonly swapped: string;
  readonly oldModulesOnRepairedContract: string;
  readonly repairedModulesOnOldContract: string;
  readonly oldModulesOnBrokenContract: string;
  readonly brokenModulesOnOldContract: string;
  /** The agent after the break, as `edgecore upgrade` lays it beside the one that runs. */
  readonly upgraded: string;
  /** That agent, and a version of edgehub beside it that is newer than what it asks for, for the same contract. */
  readonly beside: string;
  readonly newerEdgehub: string;
}

const CONTRACT = ['@edge/protocol', '@edge/core', '@edge/testing'];
const INSTALL = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];

/** What `edgecore modules --json` says of an installation. */
export interface ModulesReport {
  readonly status: number;
  readonly contract: Readonly<Record<string, string>>;
  readonly modules: readonly { readonly name: string; readonly package: string; readonly version: string }[];
  readonly problems: readonly { readonly problem: string; readonly text: string }[];
  /** Versions that lie beside the agent and are not used. */
  readonly unused: readonly { readonly role: string; readonly package: string; readonly version: string }[];
  readonly errors: string;
}

export async function modulesOf(installation: string): Promise<ModulesReport> {
  const { status, stdout, output } = await run(join(installation, 'node_modules', '.bin', 'edgecore'), ['modules', '--check', '--json'], installation);
  return { ...(JSON.parse(stdout) as Omit<ModulesReport, 'status' | 'errors'>), status, errors: output.slice(stdout.length).trim() };
}

/** Publishes the two releases that follow on that of today, and installs them with one another. */
export async function installMixed(scene: Published): Promise<Mixed> {
  const { folder, registry, npm, app } = scene;
  const modules = (await modulesOf(app)).modules.map((module) => module.package);
  const next = (name: string, plan: Readonly<Record<string, string>>): ReturnType<typeof nextRelease> => nextRelease(join(folder, name), plan);
  const repair = await next('repair', { contract: 'patch', ...Object.fromEntries(modules.map((name) => [name, 'patch'])) });
  const breaking = await next('break', { contract: 'major' });
  const newer = await nextRelease(join(folder, 'newer'), { '@edge/edgehub': 'major' }, join(folder, 'break'));
  // One after the other: what is published last is the latest.
  for (const release of ['repair', 'break', 'newer']) await publishAll(join(folder, release), registry);

  const versions = new Map(scene.manifests.map(({ name, version }) => [name, version]));
  const today = (name: string): string => versions.get(name) ?? '';
  const repaired = (name: string): string => repair.get(name) ?? today(name);
  const broken = (name: string): string => breaking.get(name) ?? today(name);
  const exact = (names: readonly string[], version: (name: string) => string): string[] => names.map((name) => `${name}@${version(name)}`);

  const copied = async (name: string, from: string): Promise<string> => {
    const to = join(folder, name);
    // Links take no time; npm writes new files for all but these.
    await promisify(execFile)('sh', ['-c', 'cp -al "$0" "$1" && for f in package.json package-lock.json node_modules/.package-lock.json; do cp --remove-destination "$0/$f" "$1/$f"; done', from, to]);
    return to;
  };
  const changed = async (name: string, ...wanted: string[]): Promise<string> => {
    const to = await copied(name, app);
    await npm(to, ...INSTALL, ...wanted);
    return to;
  };
  // Against the word of npm, which refuses such a mixture unless it is told that peers do not matter.
  const forced = async (name: string, agent: string, version: (name: string) => string): Promise<string> => {
    const to = join(folder, name);
    mkdirSync(to);
    writeFileSync(join(to, 'package.json'), JSON.stringify({ private: true, dependencies: { '@edge/cli': agent }, overrides: Object.fromEntries(modules.map((module) => [module, version(module)])) }));
    await npm(to, ...INSTALL, '--legacy-peer-deps');
    return to;
  };
  const layout = layoutOf(join(folder, 'installation'));
  const parts = { layout, versions: new Versions({ layout }), source: { registry: registry.url }, log: silentLogger, signal: AbortSignal.timeout(600_000) };
  const [swapped, oldModulesOnRepairedContract, repairedModulesOnOldContract, oldModulesOnBrokenContract, brokenModulesOnOldContract] = await Promise.all([
    changed('swapped', ...exact(['@edge/edgehub'], repaired)),
    changed('old-on-repaired', ...exact(CONTRACT, repaired)),
    changed('repaired-on-old', ...exact(modules, repaired)),
    forced('old-on-broken', broken('@edge/cli'), today),
    forced('broken-on-old', today('@edge/cli'), broken),
    prepareVersion(broken('@edge/cli'), undefined, parts),
  ]);
  const upgraded = join(layout.versions, broken('@edge/cli'));
  const beside = await copied('beside', upgraded);
  const newerEdgehub = newer.get('@edge/edgehub') ?? '';
  await npm(beside, ...INSTALL, `@edge/edgehub@${newerEdgehub}`);
  return { modules, today, repaired, broken, swapped, oldModulesOnRepairedContract, repairedModulesOnOldContract, oldModulesOnBrokenContract, brokenModulesOnOldContract, upgraded, beside, newerEdgehub };
}
