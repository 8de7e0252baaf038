import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLogger } from '@edge/core';
import { expect, it } from 'vitest';
import { Installation, type InstallationDeps } from './installation.js';
import { layoutOf, MAIN_FILE, versionFolder, WHOLE_FILE, type Layout } from './layout/layout.js';
import { Versions } from './layout/versions.js';
import { ReportFile } from './report/report-file.js';

interface Scene extends AsyncDisposable {
  readonly layout: Layout;
  readonly installation: Installation;
}

/** An installation of two versions whose agent does not run. */
async function open(changed: Partial<InstallationDeps>): Promise<Scene> {
  const root = await mkdtemp(join(tmpdir(), 'edge-installation-'));
  const layout = layoutOf(root);
  const versions = new Versions({ layout });
  for (const version of ['1.0.0', '2.0.0']) {
    const folder = versionFolder(layout, version);
    await mkdir(dirname(join(folder, MAIN_FILE)), { recursive: true });
    for (const file of [MAIN_FILE, WHOLE_FILE]) await writeFile(join(folder, file), '{}');
  }
  await versions.switchTo('1.0.0');
  const configPath = join(root, 'edgecore.yaml');
  await writeFile(configPath, 'a: 1\n', { mode: 0o600 });
  const installation = new Installation({
    layout,
    place: { configPath, stateFolder: root, service: 'none' },
    versions,
    reports: new ReportFile({ stateFolder: root }),
    source: {},
    databasePath: join(root, 'edgecore.db'),
    readyTimeoutSeconds: 30,
    settleSeconds: 1,
    editConfiguration: (text, fields) => text + JSON.stringify(fields),
    startUpgrader: () => Promise.resolve(),
    log: silentLogger,
    ...changed,
  });
  return { layout, installation, [Symbol.asyncDispose]: () => rm(root, { recursive: true }) };
}

it('[upgrade-10.1] a change whose process cannot be started is not done by the next start either, and another may follow', async () => {
  await using scene = await open({ startUpgrader: () => Promise.reject(new Error('no memory for another process')) });
  await expect(scene.installation.upgrade({ version: '2.0.0' })).rejects.toThrow('no memory for another process');
  expect(existsSync(scene.layout.journal)).toBe(false);
  expect(await scene.installation.isBusy()).toBe(false);
  await expect(scene.installation.rollBack({ version: '2.0.0' })).rejects.toThrow('no memory for another process');
});

it('[upgrade-10.2] an order that comes while another is prepared is refused before it writes anything', async () => {
  let go = (): void => undefined;
  const held = new Promise<void>((resolve) => (go = resolve));
  await using scene = await open({ copyData: () => held });
  const backUp = scene.installation.backUp(new AbortController().signal);
  await expect.poll(() => existsSync(join(scene.layout.root, 'idempotency_record')), { timeout: 20_000 }).toBe(true);
  await expect(scene.installation.updateConfiguration({ b: '2' })).rejects.toMatchObject({ code: 'upgrade.busy' });
  expect(existsSync(scene.layout.configurationAfter)).toBe(false);
  go();
  await backUp;
  expect(await readFile(join(scene.layout.root, 'edgecore.yaml'), 'utf8')).toBe('a: 1\n');
});
