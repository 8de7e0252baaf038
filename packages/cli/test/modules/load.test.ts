import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineModule, token, type ModuleDefinition } from '@edge/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModules, type LoadedModules, type LoadOptions } from '../../src/modules/load-modules.js';
import { readRoleFile, writeRole } from '../../src/modules/role-file.js';
import { unusedPackages } from '../../src/modules/unused-packages.js';
import { moduleSource, putPackage, type ModuleSource } from '../support/module-package.js';

let folder: string;
let number = 0;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'roles-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function builtIn(name: string, over: Partial<ModuleDefinition> = {}): ModuleDefinition {
  const made = defineModule({
    name,
    packageName: `@edge/${name}`,
    wire: { module: name, group: name },
    version: '0.1.0',
    requires: {},
    config: { path: `modules.${name}`, token: token('test', `${name}.config`), parse: (raw) => raw },
    routes: [],
    entry: token('test', name),
    bindings: () => undefined,
    enabled: () => true,
  }) as ModuleDefinition;
  return { ...made, ...over };
}
const BUILT_IN = [builtIn('edgehub'), builtIn('eventbus'), builtIn('edged')];

/** Another folder for each scene, since Node.js keeps what it has loaded from a place. */
function place(): string {
  const own = join(folder, String((number += 1)));
  mkdirSync(own);
  return own;
}
async function load(installedAt: string, roles: object, options: LoadOptions = {}): Promise<LoadedModules> {
  writeFileSync(join(installedAt, 'edge-modules.yaml'), JSON.stringify({ modules: roles }));
  return loadModules(BUILT_IN, await readRoleFile(join(installedAt, 'edgecore.yaml')), { installedAt, ...options });
}
const exporting = (source: ModuleSource): string => `export const module = ${moduleSource(source)};\n`;

describe('modules of a role file', () => {
  it('[roles-2.1] without a file the built-in modules play all roles', async () => {
    const { modules, origins, problems } = await loadModules(BUILT_IN, await readRoleFile(join(place(), 'edgecore.yaml')));
    expect({ modules, problems }).toEqual({ modules: BUILT_IN, problems: [] });
    expect(origins[0]).toEqual({ role: 'edgehub', kind: 'built-in', package: '@edge/edgehub', version: '0.1.0' });
  });

  it('[roles-2.2] a package takes the place of a built-in module, another one is added behind; both say where they come from', async () => {
    const at = place();
    const hub = putPackage(at, { name: '@acme/mqtt-hub', version: '1.2.0', code: `export default ${moduleSource({ role: 'edgehub' })};\nexport const other = 1;\n` });
    const gauge = putPackage(join(at, 'own'), { name: 'gauge', code: exporting({ role: 'tide-gauge' }) });
    const { modules, origins, problems } = await load(join(at), { edgehub: '@acme/mqtt-hub', 'tide-gauge': { package: 'gauge', folder: 'own', version: '^1.0.0' } });
    expect(problems).toEqual([]);
    expect(modules.map(({ name, packageName }) => `${name} ${packageName}`)).toEqual(['edgehub @acme/edgehub', 'eventbus @edge/eventbus', 'edged @edge/edged', 'tide-gauge @acme/tide-gauge']);
    expect(origins[0]).toEqual({ role: 'edgehub', kind: 'package', package: '@acme/mqtt-hub', version: '1.2.0', folder: hub });
    expect(origins[3]).toEqual({ role: 'tide-gauge', kind: 'package', package: 'gauge', version: '1.0.0', folder: gauge });
  });

  it('[roles-2.3] a package is found as Node.js finds it: above, behind a link, by its conditions, as CommonJS, in its own folder', async () => {
    const at = place();
    const deep = join(at, 'node_modules', '@edge', 'cli', 'dist');
    mkdirSync(deep, { recursive: true });
    const elsewhere = putPackage(join(at, 'elsewhere'), { name: 'linked', code: exporting({ role: 'eventbus' }) });
    symlinkSync(elsewhere, join(at, 'node_modules', 'linked'));
    putPackage(at, { name: 'conditional', manifest: { exports: { '.': { types: './no.d.ts', browser: './no.js', import: ['./index.js'] } } }, code: exporting({ role: 'one' }) });
    putPackage(at, { name: 'common', manifest: { type: 'commonjs', exports: undefined }, code: `exports.module = ${moduleSource({ role: 'two' })};\nexports.more = 1;\n` });
    const own = putPackage(join(at, 'dev'), { name: 'itself', code: exporting({ role: 'three' }) });
    const { problems, origins } = await load(at, { eventbus: 'linked', one: 'conditional', two: 'common', three: { package: 'itself', folder: own } }, { installedAt: deep });
    expect(problems).toEqual([]);
    expect(origins.filter(({ kind }) => kind === 'package').map(({ role, folder }) => [role, folder])).toEqual([
      ['eventbus', elsewhere],
      ['one', join(at, 'node_modules', 'conditional')],
      ['two', join(at, 'node_modules', 'common')],
      ['three', own],
    ]);
  });

  it.each([
    { problem: 'missing-peer', is: 'a missing peer', pkg: { peers: { '@edge/core': '^0.1.0', inversify: '^8.2.3' } }, text: 'needs @edge/core@"^0.1.0" inversify@"^8.2.3", which is not installed beside it: npm install @edge/core@"^0.1.0" inversify@"^8.2.3" there' },
    { problem: 'missing-peer', is: 'an import that no manifest names', code: "import 'no-such-package';", text: 'imports no-such-package, which is not installed: install no-such-package there' },
    { problem: 'load', is: 'a missing file', code: "import './gone.js';", text: 'cannot be loaded: mend it, or install another version of it' },
    { problem: 'load', is: 'an error of syntax', code: 'export const = 1;', text: 'cannot be loaded: mend it, or install another version of it' },
    { problem: 'load', is: 'a throw', code: 'throw new Error("no licence for this machine");', text: 'no licence for this machine' },
    { problem: 'no-module', is: 'nothing to import', pkg: { manifest: { exports: {} } }, text: 'has nothing to import: its package.json needs "exports" with "." in it' },
    { problem: 'no-module', is: 'no module', code: 'export const answer = { manifest: {} };', text: 'exports no module: its main file must export what defineModule() returns' },
    { problem: 'several-modules', is: 'two modules', code: `${exporting({ role: 'edgehub' })}export const b = ${moduleSource({ role: 'eventbus' })};`, text: 'exports several modules (eventbus, edgehub): it must export one of them as default' },
    { problem: 'wrong-role', is: 'the module of another role', code: exporting({ role: 'eventbus' }), text: 'is a module for the role eventbus: write "eventbus: @acme/hub", or name a package for edgehub' },
    { problem: 'version', is: 'another version', entry: { version: '^2.0.0' }, text: 'is to be version ^2.0.0, but ' },
    { problem: 'not-installed', is: 'no such package', entry: { package: '@acme/none' }, text: '@acme/none, which is to play edgehub, is not installed in ' },
    { problem: 'not-installed', is: 'no such folder', entry: { folder: '/no/such/folder' }, text: 'the folder /no/such/folder of @acme/hub, which is to play edgehub, does not exist' },
    { problem: 'not-installed', is: 'a folder without it', entry: { folder: '.' }, at: 'sub', text: 'npm install --prefix ' },
    { problem: 'role-file', is: 'no entry', entry: { package: 7 }, text: 'edge-modules.yaml: package of edgehub is 7' },
    { problem: 'too-old', is: 'made for a core of before', code: exporting({ role: 'edgehub', requires: { '@edge/core': '^0.0.9' } }), text: '@acme/edgehub 1.0.0 needs @edge/core ^0.0.9, this agent has ' },
    { problem: 'wire-name', is: 'the bus name of another', code: exporting({ role: 'edgehub', wire: 'eventbus' }), text: 'both want to be "eventbus"' },
    { problem: 'shape', is: 'a module of another shape', code: exporting({ role: 'edgehub', shape: 2 }), text: 'edgehub has module shape 2, this agent knows shape 1: update the agent' },
    { problem: 'config', is: 'one that refuses the configuration', code: exporting({ role: 'edgehub', parse: 'throw new Error("broker is missing, it must be an address");' }), text: '@acme/edgehub 1.0.0 refuses the configuration: modules.edgehub is not valid: broker is missing' },
  ])('[roles-2.4] $is: $problem; the built-in module plays the role', async ({ problem, pkg = {}, code, entry = {}, at = '.', text }) => {
    const base = place();
    putPackage(base, { name: '@acme/hub', code: code ?? exporting({ role: 'edgehub' }), ...pkg });
    mkdirSync(join(base, at), { recursive: true });
    const { modules, origins, problems } = await load(join(base, at), { edgehub: { package: '@acme/hub', ...entry } }, { config: {} });
    expect(problems).toMatchObject([{ problem, module: 'edgehub', instead: 'the built-in module plays edgehub' }]);
    expect(problems[0]?.text).toContain(text);
    expect(modules).toEqual(BUILT_IN);
    expect(origins[0]?.kind).toBe('built-in');
  });

  it('[roles-2.5] tells all problems at once, leaves out only who has them, and blames no built-in module for a chosen one', async () => {
    const at = place();
    putPackage(at, { name: 'good', code: exporting({ role: 'eventbus' }) });
    putPackage(at, { name: 'ring', code: exporting({ role: 'edgehub', after: ['gauge'] }) });
    putPackage(at, { name: 'gauge', code: exporting({ role: 'gauge', after: ['edgehub'] }) });
    putPackage(at, { name: 'thief', code: exporting({ role: 'thief', wire: 'edged' }) });
    const { modules, problems } = await load(at, { eventbus: 'good', edgehub: 'ring', gauge: 'gauge', thief: 'thief', gone: 'gone' });
    expect(modules.map(({ packageName }) => packageName)).toEqual(['@edge/edgehub', '@acme/eventbus', '@edge/edged']);
    expect(problems.map(({ problem, instead }) => `${problem}: ${instead}`).sort()).toEqual([
      'cycle: the built-in module plays edgehub, gauge does not run',
      'not-installed: gone does not run',
      'wire-name: thief does not run',
    ]);
  });

  it('[roles-2.6] an older version of the built-in package that no longer fits has been superseded', async () => {
    const at = place();
    const old = exporting({ role: 'edgehub', packageName: '@edge/edgehub', version: '0.0.9', requires: { '@edge/core': '^0.0.9' } });
    putPackage(at, { name: '@edge/edgehub', version: '0.0.9', code: old });
    putPackage(at, { name: '@acme/eventbus', version: '0.0.9', code: exporting({ role: 'eventbus', requires: { '@edge/core': '^0.0.9' } }) });
    const { problems } = await load(at, { edgehub: '@edge/edgehub', eventbus: '@acme/eventbus' });
    expect(problems.map(({ module, superseded }) => [module, superseded])).toEqual([['edgehub', true], ['eventbus', undefined]]);
  });

  it('[roles-2.9] settings of the role file are laid over the slice of the module that they are for, and of no other', async () => {
    const at = place();
    putPackage(at, { name: 'hub', code: exporting({ role: 'edgehub' }) });
    putPackage(at, { name: 'gauge', code: exporting({ role: 'gauge', path: 'modules.deep.gauge' }) });
    putPackage(at, { name: 'picky', code: exporting({ role: 'eventbus', parse: 'if (raw.port === 7) throw new Error("port is 7");' }) });
    const given = { modules: { edgehub: { a: 1, b: { c: 2 } }, eventbus: { port: 1 }, edged: {} } };
    const { config, problems } = await load(at, { edgehub: { package: 'hub', settings: { b: 3, d: [4] } }, gauge: { package: 'gauge', settings: { unit: 'm' } }, eventbus: { package: 'picky', settings: { port: 7 } } }, { config: given });
    expect(problems.map(({ problem, module }) => `${problem} ${module}`)).toEqual(['config eventbus']);
    expect(config).toEqual({ modules: { edgehub: { a: 1, b: 3, d: [4] }, eventbus: { port: 1 }, edged: {}, deep: { gauge: { unit: 'm' } } } });
    expect(given.modules.edgehub).toEqual({ a: 1, b: { c: 2 } });
  });

  it('[roles-2.7] what is wrong with the built-in modules alone remains, with nothing done instead', async () => {
    const set = [...BUILT_IN, builtIn('twin', { wire: { module: 'edged', group: 'x' } })];
    const { problems } = await loadModules(set, await readRoleFile(join(place(), 'edgecore.yaml')));
    expect(problems).toMatchObject([{ problem: 'wire-name', roles: ['edged', 'twin'] }]);
    expect(problems[0]).not.toHaveProperty('instead');
  });

  it('[roles-2.8] a role file is written in one step, made when it is missing, and left alone when it is none', async () => {
    const at = place();
    const config = join(at, 'edgecore.yaml');
    const path = join(at, 'edge-modules.yaml');
    await writeRole(config, 'edgehub', undefined);
    expect((await readRoleFile(config)).exists).toBe(false);
    await writeRole(config, 'edgehub', { package: '@acme/hub', version: '1.0.0', folder: join(at, 'own') });
    await writeRole(config, 'eventbus', { package: '@acme/bus' });
    await writeRole(config, 'edgehub', undefined);
    expect([...(await readRoleFile(config)).entries]).toEqual([['eventbus', { package: '@acme/bus' }]]);
    writeFileSync(path, 'modules: [');
    await expect(writeRole(config, 'edgehub', { package: 'x' })).rejects.toMatchObject({ code: 'modules.role-file', message: expect.stringContaining(path) });
    expect(readFileSync(path, 'utf8')).toBe('modules: [');
    rmSync(path);
    mkdirSync(path);
    expect((await readRoleFile(config)).problems[0]?.text).toContain('cannot be read');
    await expect(writeRole(config, 'edgehub', { package: 'x' })).rejects.toMatchObject({ code: 'modules.role-file' });
  });

  it('[roles-2.10] a file that is no YAML counts as an empty one, and is said', async () => {
    const at = place();
    writeFileSync(join(at, 'edge-modules.yaml'), 'modules: [');
    const { modules, problems } = await loadModules(BUILT_IN, await readRoleFile(join(at, 'edgecore.yaml')));
    expect(modules).toEqual(BUILT_IN);
    expect(problems).toMatchObject([{ problem: 'role-file', module: '', roles: [], instead: 'what can be read of it counts' }]);
    expect(problems[0]?.text).toContain(`${join(at, 'edge-modules.yaml')}: is no readable YAML: line 1`);
  });

  it('[roles-2.11] another version of a built-in module that lies beside the agent unused is told, with how to use it', async () => {
    const at = place();
    const program = join(at, 'node_modules', '@edge', 'cli');
    // What npm makes of a version that the program does not ask for: it stays on top, and the program gets its own.
    putPackage(program, { name: '@edge/edgehub', version: '0.1.0', code: '' });
    const other = putPackage(at, { name: '@edge/edgehub', version: '0.3.0', code: '' });
    putPackage(at, { name: '@edge/eventbus', version: '0.1.0', code: '' });
    const { origins } = await loadModules(BUILT_IN, await readRoleFile(join(at, 'edgecore.yaml')));
    const unused = unusedPackages(origins, '/etc/edge-modules.yaml', join(program, 'dist'));
    expect(unused).toMatchObject([{ role: 'edgehub', package: '@edge/edgehub', version: '0.3.0', folder: other }]);
    expect(unused[0]?.text).toBe(
      `@edge/edgehub 0.3.0 lies in ${other} and is not used, this agent was made for 0.1.0: to use it, write "edgehub: { package: '@edge/edgehub', folder: '${at}' }" below "modules" in /etc/edge-modules.yaml; else remove it`,
    );
  });
});
