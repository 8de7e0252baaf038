import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { layoutOf, versionFolder } from './layout.js';
import { removeInstallation } from './remove-installation.js';

it('[upgrade-10.5] an installation is removed with its drafts and marks; what others keep in its folder, or behind a link, stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-remove-'));
  try {
    const layout = layoutOf(join(folder, 'edgecore'));
    const elsewhere = join(folder, 'elsewhere');
    const files = [
      join(versionFolder(layout, '1.0.0'), 'edgecore.json'),
      ...[layout.place, layout.last, layout.launcher, layout.log, layout.agentPid, `${layout.hold}.77`, `${layout.upgrader}.77.dead`, `${layout.current}.next`, join(layout.root, '.journal.json.77.next')],
      ...['notes', 'versions.old', 'journal.json.mine'].map((name) => join(layout.root, name)),
      join(elsewhere, 'kept'),
    ];
    for (const file of files) {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, 'x');
    }
    await symlink('versions/1.0.0', layout.current);
    await symlink(elsewhere, join(layout.versions, 'linked'));
    expect(await removeInstallation(layout)).toBe(true);
    expect((await readdir(layout.root)).sort()).toEqual(['journal.json.mine', 'notes', 'versions.old']);
    expect(existsSync(join(elsewhere, 'kept'))).toBe(true);
    expect(await removeInstallation(layout)).toBe(false);
    expect(await removeInstallation(layoutOf(join(folder, 'nothing')))).toBe(false);
  } finally {
    await rm(folder, { recursive: true });
  }
});
