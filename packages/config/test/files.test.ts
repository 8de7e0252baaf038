import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultConfig, readConfigFile, withBootstrapToken } from '../src/index.js';
import { host } from './help.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

const make = async (name: string, content: string | Uint8Array): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
};
const database = (path: string): string => `database: {dataSource: ${JSON.stringify(path)}}\n`;

describe('reading the file', () => {
  it('[config-10.1] gives configuration and warnings', async () => {
    const path = await make('good.yaml', `${database(join(folder, 'made/later/edgecore.db'))}edgecorVersion: x\n`);
    const { config, warnings } = await readConfigFile(path, host);
    expect(config.database.dataSource).toContain('made/later');
    expect(warnings).toMatchObject([{ path: 'edgecorVersion', line: 2 }]);
  });

  it('[config-10.2] a missing file is named, with what to do', async () => {
    await expect(readConfigFile(join(folder, 'none.yaml'), host)).rejects.toMatchObject({ code: 'config.missing', message: expect.stringContaining(join(folder, 'none.yaml')) });
  });

  it('[config-10.3] a directory, a pipe, a device and a huge file are refused at once', async () => {
    await mkdir(join(folder, 'dir.yaml'));
    execFileSync('mkfifo', [join(folder, 'pipe.yaml')]);
    const huge = await make('huge.yaml', 'x: y\n'.repeat(2_500_000));
    for (const path of [join(folder, 'dir.yaml'), join(folder, 'pipe.yaml'), '/dev/zero', huge]) {
      await expect(readConfigFile(path, host), path).rejects.toMatchObject({ code: 'config.unreadable' });
    }
  });

  it('[config-10.4] what is not UTF-8 is refused', async () => {
    await expect(readConfigFile(await make('latin.yaml', new Uint8Array([0x61, 0x3a, 0x20, 0xe4])), host)).rejects.toMatchObject({ code: 'config.unreadable' });
  });

  it('[config-10.5] problems carry the name of the file', async () => {
    const path = await make('bad.yaml', 'kind: []\n');
    await expect(readConfigFile(path, host)).rejects.toMatchObject({ code: 'config.invalid', file: path, message: expect.stringContaining(path) });
  });

  it('[config-10.6] a database below a file cannot be, and is a problem; no directory is made by looking', async () => {
    const file = await make('file', 'x');
    const path = await make('db.yaml', database(join(file, 'below', 'edgecore.db')));
    await expect(readConfigFile(path, host)).rejects.toMatchObject({ problems: [{ path: 'database.dataSource', expected: expect.stringContaining('is a file') }] });
  });
});

describe('the bootstrap token', () => {
  const config = defaultConfig(host);

  it('[config-11.1] replaces the token in memory, trimmed', async () => {
    const next = await withBootstrapToken(config, await make('bootstrap', ' abc.def \n'));
    expect(next.modules.edgeHub.token).toBe('abc.def');
    expect(config.modules.edgeHub.token).toBe('');
    expect({ ...next, modules: { ...next.modules, edgeHub: config.modules.edgeHub } }).toEqual(config);
  });

  it('[config-11.2] without such a file, or with an empty one, nothing changes', async () => {
    expect(await withBootstrapToken(config, join(folder, 'none'))).toBe(config);
    expect(await withBootstrapToken(config, await make('empty', '\n'))).toBe(config);
  });

  it('[config-11.3] a file that cannot be read is an error', async () => {
    await expect(withBootstrapToken(config, folder)).rejects.toMatchObject({ code: 'config.unreadable' });
  });
});
