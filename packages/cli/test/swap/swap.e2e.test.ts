import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { metamanager } from '@edge/metamanager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRoleFile } from '../../src/modules/role-file.js';
import { eventually } from '../support/agent.js';
import { installModules, packModule } from '../support/built-module.js';
import { moduleSource, putPackage, type ModuleSource } from '../support/module-package.js';
import { mqttClient } from '../support/mqtt.js';
import { runsPerPod } from '../support/pods.js';
import { sleeper } from '../support/scene.js';
import { openSwapScene, type SwapScene } from './swap-scene.js';

const ROLES = ['metamanager', 'metaserver', 'eventbus', 'servicebus', 'devicetwin', 'edged', 'edgestream', 'taskmanager', 'testmanager', 'edgehub'] as const;
const COPY = '0.1.999';
const { version: BUILT_IN } = metamanager;

let scene: SwapScene;
let folders: ReadonlyMap<string, string>;

beforeAll(async () => {
  scene = await openSwapScene();
  const places = await installModules(join(scene.folder, 'copies'), ROLES.map((role) => ({ role, version: COPY })));
  folders = new Map(ROLES.map((role, index) => [role, places[index] ?? '']));
  await scene.ready(0, 60_000);
  await scene.cloud.api.resource('v1', 'pods').create(sleeper('steady') as never);
  await eventually(() => scene.pod('steady')?.status?.phase === 'Running', 60_000, () => `the pod does not run:\n${scene.agent.log.slice(-3000)}`);
}, 300_000);
afterAll(() => scene?.[Symbol.asyncDispose](), 120_000);

const copyOf = (role: string): { package: string; version: string; folder: string } => ({ package: `@edge/${role}`, version: COPY, folder: folders.get(role) ?? '' });
const session = (): unknown => scene.cloud.hub.sessions[0]?.since;
const roleEntries = async (): Promise<unknown> => Object.fromEntries((await readRoleFile(join(scene.folder, 'node', 'edgecore.yaml'))).entries);

/** Puts a version of metamanager on the disk that consists of little. */
function made(version: string, source: Partial<ModuleSource> | string): { package: string; version: string; folder: string } {
  const folder = join(scene.modules, 'metamanager', `${version}-0a1b2c3d`);
  const name = '@edge/metamanager';
  const code = typeof source === 'string' ? source : `export default ${moduleSource({ role: 'metamanager', packageName: name, version, wire: 'meta', path: 'modules.metaManager', ...source })};`;
  putPackage(folder, { name, version, code });
  return { package: name, version, folder };
}

describe('modules of a running agent', { timeout: 300_000 }, () => {
  it.each(ROLES)('[cli-8.1] %s gives its role to a copy from another folder and takes it back: what it held is free, the node stays Ready, the link is kept', async (role) => {
    const before = session();
    const there = await scene.swap(role, copyOf(role));
    expect(there, scene.agent.log.slice(-2000)).toMatchObject({ result: 'swapped', to: `@edge/${role}@${COPY}`, leftBehind: [] });
    expect(await scene.row(role)).toMatchObject({ phase: 'ready', version: COPY, restarts: 0 });
    expect(await scene.swap(role), scene.agent.log.slice(-2000)).toMatchObject({ result: 'swapped', leftBehind: [] });
    if (role === 'edgehub') await eventually(() => session() !== undefined && session() !== before, 60_000, () => scene.agent.log.slice(-2000));
    else expect(session()).toBe(before);
    await scene.ready(Date.now(), 60_000);
  });

  it('[cli-8.2] all of them swapped, the agent works as before: new pods run, old ones were left alone, messages of devices are answered', async () => {
    for (const role of ROLES) expect(await scene.swap(role, copyOf(role)), scene.agent.log.slice(-2000)).toMatchObject({ result: 'swapped' });
    await scene.cloud.api.resource('v1', 'pods').create(sleeper('later') as never);
    await eventually(() => scene.pod('later')?.status?.phase === 'Running', 60_000, () => `the new pod does not run:\n${scene.agent.log.slice(-3000)}`);
    await using client = await mqttClient(scene.mqttPort, ['$hw/events/#']);
    await client.publish('$hw/events/node/edge-e2e/membership/get', '{"event_id":"1"}');
    await client.next(({ topic }) => topic.endsWith('/membership/get/result'));
    expect([...runsPerPod(scene).values()]).toEqual([1, 1]);
    expect((await scene.list()).filter(({ phase }) => phase !== 'ready').map(({ role }) => role)).toEqual(['edgemesh']);
    expect(Object.keys((await roleEntries()) as object).sort()).toEqual([...ROLES].sort());
    for (const role of ROLES) await scene.swap(role);
    expect(await roleEntries()).toEqual({});
  });

  it('[cli-8.3] a version that is not ready in time, throws, cannot be loaded or does not fit: the one from before has the role, no file says otherwise', async () => {
    const untilEnd = "await new Promise((done) => life.signal.addEventListener('abort', done)); return;";
    const bad: readonly [ReturnType<typeof made>, RegExp][] = [
      [made('9.0.1', { start: untilEnd }), /metamanager was not ready within 1000 ms/],
      [made('9.0.2', { start: "throw new Error('there is no table');" }), /there is no table/],
      [made('9.0.3', { start: "life.ready(); throw new Error('it was not meant');" }), /it was ready, and ended again: it was not meant/],
    ];
    for (const [entry, reason] of bad) {
      expect(await scene.swap('metamanager', entry, { readyTimeoutSeconds: 1 })).toMatchObject({ result: 'returned', reason: expect.stringMatching(reason) as string, serving: true, leftBehind: [] });
      expect(await scene.row('metamanager')).toMatchObject({ phase: 'ready', version: BUILT_IN, restarts: 0 });
    }
    const refused: readonly [ReturnType<typeof made>, RegExp][] = [
      [made('9.0.4', "throw new Error('half a file')"), /half a file/],
      [made('9.0.5', 'export default {'), /cannot be loaded/],
      [made('9.0.6', { requires: { '@edge/core': '^9.0.0' } }), /needs @edge\/core \^9\.0\.0/],
      [made('9.0.7', { role: 'edgehub' }), /edgehub/],
      [made('9.0.8', { parse: "throw new Error('no such settings');" }), /no such settings/],
      [{ package: '@edge/metamanager', version: '9.0.9', folder: '/nowhere/at/all' }, /\/nowhere\/at\/all/],
    ];
    const since = scene.agent.log.split('module crashed').length;
    for (const [entry, text] of refused) await expect(scene.swap('metamanager', entry)).rejects.toThrow(text);
    expect(scene.agent.log.split('module crashed')).toHaveLength(since);
    // What did not work is not kept on the disk.
    expect(readdirSync(join(scene.modules, 'metamanager'))).toEqual([]);
    expect(await roleEntries()).toEqual({});
  });

  it('[cli-8.4] whoever gave the order leaves before it is done: the version from before comes back', async () => {
    const untilEnd = made('9.1.0', { start: "await new Promise((done) => life.signal.addEventListener('abort', done)); return;" });
    const leave = new AbortController();
    await expect(scene.swap('metamanager', untilEnd, { signal: leave.signal, onStep: (step) => step === 'starting' && leave.abort() })).rejects.toThrow();
    await eventually(async () => (await scene.row('metamanager'))?.phase === 'ready', 60_000, () => scene.agent.log.slice(-2000));
    expect(await scene.row('metamanager')).toMatchObject({ version: BUILT_IN });
  });

  it('[cli-8.5] by the command: another version is fetched and kept over a cut of power, a bad one is not, --built-in returns', async () => {
    const stick = join(scene.folder, 'stick');
    await packModule(stick, { role: 'metamanager', version: '0.1.8' });
    await packModule(stick, { role: 'metamanager', version: '0.1.9', prelude: "throw new Error('half a build');" });
    expect(statSync(scene.socket).mode & 0o777).toBe(0o600);

    const good = await scene.module('swap', 'metamanager', '0.1.8', '--from', stick);
    expect(good).toMatchObject({ code: 0, err: '' });
    expect(good.out.replace(BUILT_IN, '<built in>')).toMatch(/^Fetching @edge\/metamanager@0\.1\.8 \.\.\.\n.* from @edge\/metamanager@<built in> to @edge\/metamanager@0\.1\.8\.\nStopping.*\nStarting.*\nIt is ready.*\nDone: @edge\/metamanager@0\.1\.8 runs\. Messages for metamanager waited \d+ ms\.\n$/);
    const [kept = ''] = readdirSync(join(scene.modules, 'metamanager'));
    const entry = { metamanager: { package: '@edge/metamanager', version: '0.1.8', folder: join(scene.modules, 'metamanager', kept) } };
    expect(await roleEntries()).toEqual(entry);
    const bad = await scene.module('swap', 'metamanager', '0.1.9', '--from', join(stick, 'edge-metamanager-0.1.8.tgz'));
    expect(bad).toMatchObject({ code: 1, err: expect.stringMatching(/^Error: .*half a build/) as string });
    expect(readdirSync(join(scene.modules, 'metamanager'))).toEqual([kept]);
    expect(await roleEntries()).toEqual(entry);

    // In the middle of a swap, and with a socket left behind.
    const stuck = made('9.2.0', { start: "await new Promise((done) => life.signal.addEventListener('abort', done)); return;" });
    await expect(scene.swap('metamanager', stuck, { onStep: (step) => step === 'starting' && void scene.agent.kill() })).rejects.toMatchObject({ code: 'cli.control', message: expect.stringContaining('the agent ended') as string });
    const none = await scene.module('list');
    expect(none).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^Error: the agent cannot be reached at .*: it does not run\n$/) as string });
    scene.agent.start();
    await eventually(async () => (await scene.row('metamanager').catch(() => undefined))?.phase === 'ready', 60_000, () => scene.agent.log.slice(-2000));
    expect((await scene.module('list')).out).toMatch(/^MODULE +PACKAGE +VERSION +STATE +RESTARTS +FROM\n[^]*\nmetamanager +@edge\/metamanager +0\.1\.8 +ready +0 +\/.*\nmetaserver .* built in\n/);

    expect(await scene.module('swap', 'metamanager', '--built-in')).toMatchObject({ code: 0, out: expect.stringContaining(`Done: @edge/metamanager@${BUILT_IN} runs.`) as string });
    expect(await roleEntries()).toEqual({});
    expect(existsSync(scene.roleFile) && readFileSync(scene.roleFile, 'utf8')).toContain('modules:');
    // The one from before, for a quick way back; what the cut of power left is gone.
    expect(readdirSync(join(scene.modules, 'metamanager'))).toEqual([kept]);
    expect([...runsPerPod(scene).values()]).toEqual([1, 1]);
    expect(await scene.module('swap', 'sundial', '1.0.0')).toMatchObject({ code: 1, err: expect.stringContaining('has no module sundial; it has edgehub, metamanager') as string });
  });
});
