import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, resolve, sep } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { eventually } from '../packages/cli/test/support/agent.js';
import { startDev } from '../packages/cli/test/support/dev.js';
import { killPodProcesses, podProcesses } from '../packages/cli/test/support/leftovers.js';
import { footprint, megabytes, MOST_MEGABYTES, MOST_PACKAGES } from './footprint.js';
import { installMixed, modulesOf, type Mixed, type ModulesReport } from './registry/mixed.js';
import { LINES, OTHER_LINES, packageFolder, publishAndInstall, type Published } from './registry/published.js';
import { readManifest, root } from './registry/root.js';
import { mustRun, run } from './registry/run.js';
import { LICENCES_FILE } from './third-party.mjs';

const examples = join(root, 'examples', 'hello');

let scene: Published;
let mixed: Mixed;

beforeAll(async () => {
  scene = await publishAndInstall();
  mixed = await installMixed(scene);
}, 1_200_000);

afterAll(async () => {
  if ((scene as Published | undefined) === undefined) return;
  killPodProcesses(scene.folder);
  await scene[Symbol.asyncDispose]();
});

describe('registry', () => {
  it('[registry-1.1] has what was published, keeps it, and takes nothing without the token', async () => {
    const { registry } = scene;
    const published = registry.versionsOf('@edge/core');
    expect(published.map(({ version }) => version)).toEqual([mixed.today, mixed.repaired, mixed.broken].map((versionOf) => versionOf('@edge/core')));
    for (const { dist } of published) expect((await fetch(dist.tarball)).status).toBe(200);
    const publish = ['publish', '--workspace=@edge/core', '--ignore-scripts', '--no-provenance'];
    expect((await run('npm', publish, root, registry.env)).output).toMatch(/cannot publish over|published already/i);
    const { host } = new URL(registry.url);
    expect((await run('npm', publish, root, { ...registry.env, [`npm_config_//${host}/:_authToken`]: 'wrong' })).status).not.toBe(0);
    expect(registry.versionsOf('@edge/core')).toEqual(published);
  });
});

describe('published packages', () => {
  it('[packed-1.1] an installation holds every package of the workspace, each with its version', () => {
    const expected = readdirSync(join(root, 'packages')).map((name) => readManifest(join(root, 'packages', name)));
    expect(scene.manifests.map(({ name, version }) => `${name} ${version}`).sort()).toEqual(expected.map(({ name, version }) => `${name} ${version}`).sort());
  });

  it('[packed-1.2] npm install --global: the program answers --version, checks its modules and prints a default configuration', async () => {
    const edgecore = (...args: string[]): Promise<string> => mustRun(join(scene.global, 'bin', 'edgecore'), args, scene.folder);
    const { version } = readManifest(join(root, 'packages', 'cli'));
    expect(await edgecore('--version')).toContain(`@edge/cli ${version}`);
    const modules = await edgecore('modules', '--check');
    for (const name of ['edgehub', 'metamanager', 'metaserver', 'eventbus', 'devicetwin', 'edged', 'edgestream', 'taskmanager']) expect(modules).toContain(`@edge/${name}`);
    expect(parse(await edgecore('--defaultconfig'))).toMatchObject({ kind: 'EdgeCore', modules: { edgeHub: { enable: true } } });
  });

  it('[packed-1.3] no package imports a file outside of itself or a package that it does not declare', async () => {
    const wrong: string[] = [];
    const { app, folder, manifests } = scene;
    for (const { name, dependencies = {}, peerDependencies = {} } of manifests) {
      const dist = join(packageFolder(app, name), 'dist');
      const entryPoints = readdirSync(dist).filter((file) => file.endsWith('.js')).map((file) => join(dist, file));
      const { metafile } = await build({ entryPoints, bundle: true, write: false, outdir: folder, format: 'esm', platform: 'node', packages: 'external', metafile: true, absWorkingDir: folder, logLevel: 'silent' });
      for (const file of Object.keys(metafile.inputs)) {
        if (!resolve(folder, file).startsWith(packageFolder(app, name) + sep)) wrong.push(`${name} imports ${file}`);
      }
      const declared = new Set([name, ...Object.keys(dependencies), ...Object.keys(peerDependencies), ...builtinModules]);
      for (const { path, external } of Object.values(metafile.inputs).flatMap(({ imports }) => imports)) {
        if (external && !path.startsWith('node:') && !declared.has(packageOf(path))) wrong.push(`${name} imports ${path}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('[packed-1.4] whoever installs the program alone gets every peer that its packages ask for', () => {
    const { manifests } = scene;
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
    expect(await run('npm', ['ls', '--all'], scene.app)).toMatchObject({ status: 0 });
  });
});

describe('what an installation holds', () => {
  it('[footprint-1.1] the agent is at most 60 packages and 60 MB, Node.js left out', () => {
    const packages = footprint(join(scene.global, 'lib'), '@edge/cli');
    const list = packages.map(({ name, bytes }) => `${(bytes / 1e6).toFixed(2)} MB ${name}`).join('\n');
    expect(packages.length, list).toBeGreaterThan(20);
    expect(packages.length, list).toBeLessThanOrEqual(MOST_PACKAGES);
    expect(megabytes(packages), list).toBeLessThanOrEqual(MOST_MEGABYTES);
  });

  it('[footprint-1.2] a package that holds others brings their licences, and no package brings maps of its sources', () => {
    const { app, manifests } = scene;
    const embedding = ['cri', 'devicetwin', 'edged', 'eventbus', 'minicloud'].map((name) => join(packageFolder(app, `@edge/${name}`), 'dist', LICENCES_FILE));
    expect(embedding.filter((file) => !/@grpc\/grpc-js 1|mqtt-packet 9|@peculiar\/x509 2/.test(readFileSync(file, 'utf8')))).toEqual([]);
    expect(manifests.flatMap(({ name }) => readdirSync(join(packageFolder(app, name), 'dist')).filter((file) => file.endsWith('.map')))).toEqual([]);
  });

  it('[footprint-1.3] libsql may be left out where Node.js has a SQLite of its own, and is asked for by name where it has not', async () => {
    const bare = join(scene.folder, 'bare');
    // The store with all that it needs, and without the library.
    for (const name of ['@edge/store', '@edge/core', '@edge/protocol', '@bufbuild/protobuf', 'inversify', '@inversifyjs', 'reflect-metadata']) cpSync(packageFolder(scene.app, name), join(bare, 'node_modules', name), { recursive: true });
    const script = "import 'reflect-metadata'; import { silentLogger } from '@edge/core'; import { openStore } from '@edge/store'; console.log('opened', (await openStore({ path: process.argv[1], log: silentLogger })).report.driver);";
    for (const line of LINES) {
      const opened = await run(scene.node(line), ['--input-type=module', '-e', script, join(bare, `${line}.db`)], bare);
      if (Number(line) >= 22) expect(opened).toMatchObject({ status: 0, stdout: expect.stringContaining('opened node:sqlite') as string });
      else expect(opened).toMatchObject({ status: 1, output: expect.stringContaining('use Node.js 22.13 or newer, or install the package libsql beside the agent') as string });
    }
  });
});

describe.each(LINES)('published packages on Node.js %s', (line) => {
  it(`[packed-2.1] every package can be imported (Node.js ${line})`, async () => {
    // The test kit registers tests when it is loaded, so it is for vitest alone.
    const { app, node } = scene;
    const names = scene.manifests.map(({ name }) => name).filter((name) => name !== '@edge/testing');
    const imports = async (together: readonly string[]): Promise<void> => {
      const script = `import 'reflect-metadata'; for (const name of ${JSON.stringify(together)}) console.log(name, Object.keys(await import(name)).length)`;
      const lines = (await mustRun(node(line), ['--input-type=module', '-e', script], app)).trim().split('\n');
      expect(lines.map((text) => text.split(' ')[0])).toEqual(together);
      expect(lines.filter((text) => Number(text.split(' ')[1]) === 0)).toEqual([]);
    };
    // Each by itself where this test runs, some at a time; all in one process on the others.
    if (OTHER_LINES.includes(line)) await imports(names);
    else for (let at = 0; at < names.length; at += 4) await Promise.all(names.slice(at, at + 4).map((name) => imports([name])));
  });

  it(`[packed-2.3] the example of a mapper, copied, runs on the installed packages (Node.js ${line})`, async () => {
    const { app, node } = scene;
    const copy = join(app, `thermostat-${line}`);
    mkdirSync(copy);
    for (const file of ['main.ts', 'thermostat.ts', 'room.ts']) copyFileSync(join(root, 'examples', 'thermostat', 'mapper', file), join(copy, file));
    await build({ entryPoints: [join(copy, 'main.ts')], outfile: join(copy, 'main.mjs'), bundle: true, packages: 'external', platform: 'node', format: 'esm', target: 'node20', tsconfigRaw: {}, logLevel: 'silent' });
    expect(await mustRun(node(line), [join(copy, 'main.mjs'), '--help'], copy)).toContain('--edgecore-sock');
  });

});

/** What `edgecore modules --check` finds wrong with a module. */
const problemsOf = ({ problems }: ModulesReport, name: string): string[] => problems.filter(({ text }) => text.startsWith(`${name} `)).map(({ problem, text }) => `${problem}: ${text}`);

describe('versions that were published, together', () => {
  it('[registry-2.1] npm install of another version of one module changes that module alone', async () => {
    const { status, modules, problems } = await modulesOf(mixed.swapped);
    expect(mixed.repaired('@edge/edgehub')).not.toBe(mixed.today('@edge/edgehub'));
    for (const { package: name, version } of modules) expect([name, version]).toEqual([name, name === '@edge/edgehub' ? mixed.repaired(name) : mixed.today(name)]);
    expect({ status, problems }).toEqual({ status: 0, problems: [] });
  });

  it('[registry-2.2] edgecore upgrade lays the agent of the next release beside the one that runs, with all that it brings', async () => {
    const { status, modules, contract } = await modulesOf(mixed.upgraded);
    expect(await mustRun(join(mixed.upgraded, 'node_modules', '.bin', 'edgecore'), ['--version'], scene.folder)).toContain(`@edge/cli ${mixed.broken('@edge/cli')}`);
    expect(modules.map(({ package: name, version }) => `${name} ${version}`)).toEqual(mixed.modules.map((name) => `${name} ${mixed.broken(name)}`));
    expect({ status, core: contract['@edge/core'] }).toEqual({ status: 0, core: mixed.broken('@edge/core') });
  });

  it('[registry-2.3] an agent of before still installs when the contract has moved on: npm takes the last modules made for it', async () => {
    const folder = join(scene.folder, 'before');
    mkdirSync(folder);
    await scene.npm(folder, 'install', '--package-lock-only', '--prefer-offline', '--no-audit', `@edge/cli@${mixed.today('@edge/cli')}`);
    const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as { packages: Record<string, { version?: string }> };
    const installed = Object.entries(packages).filter(([path]) => path.includes('node_modules/@edge/'));
    expect(installed.length).toBeGreaterThan(mixed.modules.length);
    expect(installed.filter(([path, { version }]) => version === mixed.broken(path.replace(/^.*node_modules\//, '')))).toEqual([]);
  });

  it('[registry-2.4] a version that the agent does not ask for lies beside it and is not used, which edgecore modules says', async () => {
    const { status, modules, unused } = await modulesOf(mixed.beside);
    expect(readManifest(packageFolder(mixed.beside, '@edge/edgehub')).version).toBe(mixed.newerEdgehub);
    expect(modules.find(({ name }) => name === 'edgehub')?.version).toBe(mixed.broken('@edge/edgehub'));
    expect(status).toBe(0);
    expect(unused).toEqual([expect.objectContaining({ role: 'edgehub', package: '@edge/edgehub', version: mixed.newerEdgehub })]);
  });

  it('[registry-3.1] every module of before goes with a contract that was repaired, and every repaired one with the contract of before', async () => {
    const sets = [[mixed.oldModulesOnRepairedContract, mixed.repaired, mixed.today], [mixed.repairedModulesOnOldContract, mixed.today, mixed.repaired]] as const;
    for (const [installation, contractOf, versionOf] of sets) {
      const { status, modules, contract, problems } = await modulesOf(installation);
      expect(contract['@edge/core']).toBe(contractOf('@edge/core'));
      expect(modules.map(({ package: name, version }) => `${name} ${version}`)).toEqual(mixed.modules.map((name) => `${name} ${versionOf(name)}`));
      expect({ status, problems }).toEqual({ status: 0, problems: [] });
    }
  });

  it('[registry-3.2] no module of before goes with a contract that broke, and none made for that with the contract of before; each is told with what would be right', async () => {
    const sets = [
      ['too-old', 'install a newer version of', mixed.oldModulesOnBrokenContract, mixed.broken, mixed.today],
      ['too-new', 'update the agent', mixed.brokenModulesOnOldContract, mixed.repaired, mixed.broken],
    ] as const;
    for (const [problem, advice, installation, contractOf, versionOf] of sets) {
      const report = await modulesOf(installation);
      const core = contractOf('@edge/core');
      expect(report.contract['@edge/core']).toBe(core);
      expect(report.status).toBe(2);
      expect(mixed.modules.length).toBeGreaterThanOrEqual(11);
      for (const name of mixed.modules) {
        const own = `${problem}: ${name} ${versionOf(name)} needs @edge/core ^${versionOf('@edge/core')}, this agent has ${core}: ${advice}`;
        expect(problemsOf(report, name).filter((text) => text.startsWith(own)), `${own}\n${report.errors}`).toHaveLength(1);
      }
    }
  });
});

describe('the agent, installed', () => {
  it.concurrent('[bundle-1.1] as one file it becomes Ready in an empty folder: on Node.js 20 with the library beside it, on newer ones with nothing', async () => {
    const place = join(scene.folder, 'one-file');
    await mustRun(process.execPath, [join(root, 'tools', 'bundle.mjs'), '--out', place], root);
    const alone = join(scene.folder, 'alone');
    mkdirSync(alone);
    copyFileSync(join(place, 'edgecore.mjs'), join(alone, 'edgecore.mjs'));
    for (const line of LINES) {
      const data = join(scene.folder, `data-one-file-${line}`);
      try {
        await using dev = await startDev(data, [], [scene.node(line), join(Number(line) < 22 ? place : alone, 'edgecore.mjs')]);
        await dev.said('Node edge-e2e is Ready', 180_000);
        expect(await dev.interrupt()).toBe(0);
      } finally {
        killPodProcesses(data);
      }
    }
  });

  it.concurrent('[registry-3.3] it becomes Ready with every module repaired on the contract of before', async () => {
    const data = join(scene.folder, 'data-repaired');
    try {
      await using dev = await startDev(data, [], [process.execPath, join(mixed.repairedModulesOnOldContract, 'node_modules', '.bin', 'edgecore')]);
      await dev.said('Node edge-e2e is Ready', 180_000);
      expect(await dev.interrupt()).toBe(0);
    } finally {
      killPodProcesses(data);
    }
  });

  // Each line has another installation: the program alone, one module swapped, every module older than the contract.
  it.concurrent.each(LINES)('[packed-2.2] edgecore dev: the node becomes Ready, the example runs and ends, Ctrl-C stops both (Node.js %s)', async (line) => {
    const { folder, global, node } = scene;
    const data = join(folder, `data-${line}`);
    const bin = [join(global, 'bin'), ...[mixed.swapped, mixed.oldModulesOnRepairedContract].map((path) => join(path, 'node_modules', '.bin'))][LINES.indexOf(line)] ?? '';
    try {
      await using dev = await startDev(data, [], [node(line), join(bin, 'edgecore')]);
      await dev.said('Node edge-e2e is Ready', 180_000);
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
