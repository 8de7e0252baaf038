import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { layoutOf } from '@edge/upgrade';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { setAsideForLink } from './own-file.js';
import { readPlaces } from './places.js';
import { stopAgent, uninstall } from './uninstall.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-own-'));
});
afterEach(() => rm(folder, { recursive: true }));

it("[cli-22.6] a link of somebody else in the program's place, such as npm's, comes back with uninstall", async () => {
  const places = readPlaces({ root: folder });
  const { launcher } = layoutOf(places.installation);
  await mkdir(dirname(places.program), { recursive: true });
  await symlink('../lib/node_modules/@edge/cli/dist/main.js', places.program);
  for (let times = 0; times < 2; times += 1) {
    await setAsideForLink(places.program, launcher);
    if (times === 0) await symlink(launcher, places.program);
  }
  expect(readlinkSync(places.program)).toBe(launcher);
  expect(await uninstall(places)).toEqual([places.program]);
  expect(readlinkSync(places.program)).toBe('../lib/node_modules/@edge/cli/dist/main.js');
});

it("[cli-22.7] a unit that somebody else has put in the place of ours is neither stopped, switched off nor removed", async () => {
  const places = { ...readPlaces({ root: folder }), root: undefined };
  const files = { [places.unit]: '[Service]\nExecStart=/other\n', [layoutOf(places.installation).place]: JSON.stringify({ configPath: '/x', stateFolder: folder, service: 'systemd' }) };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  // The machine's own service manager, if it has one, would answer with an error at least: it knows no such unit.
  await stopAgent(places);
  expect(await uninstall(places)).toEqual([places.installation]);
  expect(readFileSync(places.unit, 'utf8')).toContain('/other');
  expect(() => lstatSync(places.installation)).toThrow('ENOENT');
});
