import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCell, EdgeError, silentLogger, type ModuleDefinition, type ModuleHealth, type SwapOutcome } from '@edge/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { moduleSource, putPackage } from '../../test/support/module-package.js';
import { readRoleFile } from '../modules/role-file.js';
import { ModuleOrders } from './module-orders.js';

const never = new AbortController().signal;
const built = { name: 'clock', packageName: '@acme/clock', version: '1.0.0' } as ModuleDefinition;
const swapped: SwapOutcome = { result: 'swapped', serving: true, pausedMs: 1, leftBehind: [] };

let folder: string;
let configPath: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-orders-'));
  mkdirSync(join(folder, 'config'));
  configPath = join(folder, 'config', 'edgecore.yaml');
});
afterEach(() => rm(folder, { recursive: true }));

/** Where a version is fetched to. */
const placeOf = (version: string): string => join(folder, 'modules', 'clock', `${version}-0a1b2c3d`);

/** A version of the module, fetched. */
function fetched(version: string): { package: string; version: string; folder: string } {
  const place = placeOf(version);
  putPackage(place, { name: '@acme/clock', version, code: `export default ${moduleSource({ role: 'clock', version })};` });
  return { package: '@acme/clock', version, folder: place };
}

/** Orders to an agent whose swaps end like that. */
async function orders(swap: () => Promise<SwapOutcome> = () => Promise.resolve(swapped)): Promise<ModuleOrders> {
  const { entries } = await readRoleFile(configPath);
  const [entry] = entries.values();
  const origin = { role: 'clock', kind: entry ? ('package' as const) : ('built-in' as const), package: '@acme/clock', version: entry?.version ?? '1.0.0', ...(entry?.folder === undefined ? {} : { folder: entry.folder }) };
  const health = createCell<Readonly<Record<string, ModuleHealth>>>({ clock: { phase: 'ready', restarts: 2, since: 0, lastError: 'once' } });
  return new ModuleOrders({ core: { modules: [built], health, swap }, builtIn: [built], origins: [origin], entries, configPath, modulesFolder: join(folder, 'modules'), settleMs: 0, log: silentLogger });
}

const entriesNow = async (): Promise<unknown> => Object.fromEntries((await readRoleFile(configPath)).entries);
const versions = (): string[] => readdirSync(join(folder, 'modules', 'clock')).map((name) => name.replace(/-0a1b2c3d$/, ''));

describe('what commands have the agent do with its modules', () => {
  it('[cli-11.1] a swap that worked is kept, with the version from before for a way back; older ones go', async () => {
    const given = await orders();
    expect(given.list()).toEqual([{ role: 'clock', package: '@acme/clock', version: '1.0.0', phase: 'ready', restarts: 2, lastError: 'once' }]);
    for (const version of ['1.1.0', '1.2.0', '1.3.0']) expect(await given.swap({ order: 'swap', role: 'clock', entry: fetched(version) }, () => undefined, never)).toMatchObject({ to: `@acme/clock@${version}` });
    expect(versions()).toEqual(['1.2.0', '1.3.0']);
    expect(await entriesNow()).toEqual({ clock: { package: '@acme/clock', version: '1.3.0', folder: placeOf('1.3.0') } });
    expect(given.list()[0]?.folder).toContain(placeOf('1.3.0'));
    await given.swap({ order: 'swap', role: 'clock' }, () => undefined, never);
    expect([await entriesNow(), versions()]).toEqual([{}, ['1.3.0']]);
  });

  it('[cli-11.2] one that did not work is removed, whether it went back, was refused or could not be loaded; that in use stays', async () => {
    const kept = fetched('1.1.0');
    await (await orders()).swap({ order: 'swap', role: 'clock', entry: kept }, () => undefined, never);
    const back = await orders(() => Promise.resolve({ ...swapped, result: 'returned', reason: 'no' }));
    expect(await back.swap({ order: 'swap', role: 'clock', entry: fetched('1.2.0') }, () => undefined, never)).toMatchObject({ result: 'returned' });
    await back.swap({ order: 'swap', role: 'clock', entry: kept }, () => undefined, never);
    const refused = await orders(() => Promise.reject(new EdgeError('core.swap-busy', 'busy')));
    await expect(refused.swap({ order: 'swap', role: 'clock', entry: fetched('1.3.0') }, () => undefined, never)).rejects.toMatchObject({ code: 'core.swap-busy' });
    const broken = fetched('1.4.0');
    writeFileSync(join(broken.folder, 'node_modules/@acme/clock/index.js'), 'export default {');
    await expect(back.swap({ order: 'swap', role: 'clock', entry: broken }, () => undefined, never)).rejects.toMatchObject({ code: 'modules.load' });
    expect(versions()).toEqual(['1.1.0']);
    expect(await entriesNow()).toEqual({ clock: kept });
  });

  it('[cli-11.3] settings of the role go along to another version; with them there is no way to the built-in module but a new start', async () => {
    writeFileSync(join(folder, 'config', 'edge-modules.yaml'), `modules:\n  clock: { package: "@acme/clock", version: "1.1.0", folder: ${fetched('1.1.0').folder}, settings: { hands: 3 } }\n`);
    const given = await orders();
    await given.swap({ order: 'swap', role: 'clock', entry: fetched('1.2.0') }, () => undefined, never);
    expect(await entriesNow()).toMatchObject({ clock: { version: '1.2.0', settings: { hands: 3 } } });
    await expect(given.swap({ order: 'swap', role: 'clock' }, () => undefined, never)).rejects.toMatchObject({ code: 'cli.swap', message: expect.stringContaining('settings for clock (hands)') as string });
  });

  it('[cli-11.7] settings that were written since the start are neither lost nor taken for those that count: the order is refused', async () => {
    const file = join(folder, 'config', 'edge-modules.yaml');
    const { folder: place } = fetched('1.1.0');
    const text = (settings: string): string => `modules:\n  clock: { package: "@acme/clock", version: "1.1.0", folder: ${place}${settings} }\n`;
    writeFileSync(file, text(', settings: { hands: 3 }'));
    const given = await orders();
    for (const written of [text(', settings: { hands: 2, bell: true }'), text('')]) {
      writeFileSync(file, written);
      await expect(given.swap({ order: 'swap', role: 'clock', entry: fetched('1.2.0') }, () => undefined, never)).rejects.toMatchObject({ code: 'cli.swap', message: expect.stringContaining('other settings for clock (hands') as string });
      expect(readFileSync(file, 'utf8')).toBe(written);
    }
  });

  it('[cli-11.5] an order that comes during another one touches nothing: the folder may be the one that is being started from', async () => {
    const entry = fetched('1.1.0');
    const end = createCell<SwapOutcome | undefined>(undefined);
    const given = await orders(async () => (await end.until((outcome) => outcome !== undefined, never)) ?? swapped);
    const first = given.swap({ order: 'swap', role: 'clock', entry }, () => undefined, never);
    await expect(given.swap({ order: 'swap', role: 'clock', entry }, () => undefined, never)).rejects.toMatchObject({ code: 'core.swap-busy' });
    expect(existsSync(entry.folder)).toBe(true);
    end.set(swapped);
    expect(await first).toMatchObject({ result: 'swapped' });
    expect([versions(), await entriesNow()]).toEqual([['1.1.0'], { clock: entry }]);
    expect(await given.swap({ order: 'swap', role: 'clock' }, () => undefined, never)).toMatchObject({ result: 'swapped' });
  });

  it('[cli-11.6] the end of the agent, or of the command, does not wait for code that does not come to an end', async () => {
    const hangs = fetched('1.1.0');
    writeFileSync(join(hangs.folder, 'node_modules/@acme/clock/index.js'), 'globalThis.clockIsRead?.(); await new Promise(() => undefined);');
    const end = new AbortController();
    vi.stubGlobal('clockIsRead', () => end.abort());
    try {
      await expect((await orders()).swap({ order: 'swap', role: 'clock', entry: hangs }, () => undefined, end.signal)).rejects.toMatchObject({ code: 'core.aborted' });
    } finally {
      vi.unstubAllGlobals();
    }
    expect(versions()).toEqual([]);
  });

  it('[cli-11.4] what cannot be written into the role file is said; what runs, runs', async () => {
    writeFileSync(join(folder, 'config', 'edge-modules.yaml'), 'modules: [');
    const report = await (await orders()).swap({ order: 'swap', role: 'clock', entry: fetched('1.1.0') }, () => undefined, never);
    expect(report).toMatchObject({ result: 'swapped', notKept: expect.stringContaining('is no readable YAML') as string });
    expect(existsSync(placeOf('1.1.0'))).toBe(true);
  });
});
