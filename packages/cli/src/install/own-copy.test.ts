import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyOwnProgram } from './own-copy.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-own-copy-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Writes packages below a folder: path → package.json's fields and the text of its main file. */
async function write(packages: Readonly<Record<string, { dependencies?: object; optionalDependencies?: object; main?: string }>>): Promise<void> {
  for (const [path, { main = '', ...fields }] of Object.entries(packages)) {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    await mkdir(join(folder, path, 'dist'), { recursive: true });
    await writeFile(join(folder, path, 'package.json'), JSON.stringify({ name: fields.dependencies === undefined && path === 'packages/cli' ? '@edge/cli' : name, version: '1.0.0', type: 'module', exports: './dist/main.js', ...fields }));
    await writeFile(join(folder, path, 'dist', 'main.js'), main);
  }
}

const run = (target: string): string => execFileSync(process.execPath, [join(target, 'node_modules/@edge/cli/dist/main.js')], { encoding: 'utf8' });

describe('a copy of the running program', () => {
  it('[cli-22.1] of an npm installation: itself and all that it needs, each version where npm has put it, and nothing else', async () => {
    await write({
      'app/node_modules/@edge/cli': { dependencies: { a: '1', b: '1' }, optionalDependencies: { 'not-for-this-platform': '1' }, main: "import a from 'a'; import b from 'b'; console.log(a, b);" },
      'app/node_modules/a': { dependencies: { shared: '1' }, main: "import shared from 'shared'; export default `a with ${shared}`;" },
      'app/node_modules/b': { dependencies: { shared: '2' }, main: "import shared from 'shared'; export default `b with ${shared}`;" },
      'app/node_modules/b/node_modules/shared': { main: "export default 'shared 2';" },
      'app/node_modules/shared': { main: "export default 'shared 1';" },
      'app/node_modules/of-somebody-else': {},
    });
    await mkdir(join(folder, 'app/node_modules/.bin'));
    await symlink('../@edge/cli/dist/main.js', join(folder, 'app/node_modules/.bin/edgecore'));
    const target = join(folder, 'target');
    await copyOwnProgram(join(folder, 'app/node_modules/.bin/edgecore'), target);
    await rm(join(folder, 'app'), { recursive: true });
    expect(run(target)).toBe('a with shared 1 b with shared 2\n');
    expect((await readdir(join(target, 'node_modules'))).sort()).toEqual(['@edge', 'a', 'b', 'shared']);
  });

  it('[cli-22.2] of a global installation, whose packages lie inside of it', async () => {
    await write({
      'lib/node_modules/@edge/cli': { dependencies: { a: '1' }, main: "import a from 'a'; console.log(a);" },
      'lib/node_modules/@edge/cli/node_modules/a': { main: "export default 'a inside';" },
      'lib/node_modules/npm': {},
    });
    const target = join(folder, 'target');
    await copyOwnProgram(join(folder, 'lib/node_modules/@edge/cli/dist/main.js'), target);
    await rm(join(folder, 'lib'), { recursive: true });
    expect(run(target)).toBe('a inside\n');
  });

  it('[cli-22.3] of the program in one file, wherever it lies: that file, and the native library that is outside of it', async () => {
    await write({ 'node_modules/libsql': { dependencies: { helper: '1' } }, 'node_modules/helper': {}, 'node_modules/of-development': {} });
    const bundle = join(folder, 'anywhere/edgecore.mjs');
    await mkdir(dirname(bundle));
    await writeFile(bundle, "console.log('in one file');");
    const target = join(folder, 'target');
    await copyOwnProgram(bundle, target, true);
    expect(run(target)).toBe('in one file\n');
    expect((await readdir(join(target, 'node_modules'))).sort()).toEqual(['@edge', 'helper', 'libsql']);
  });

  it('[cli-22.4] is refused for a file that belongs to no package of ours, saying what helps', async () => {
    await writeFile(join(folder, 'main.js'), '');
    await expect(copyOwnProgram(join(folder, 'main.js'), join(folder, 'target'))).rejects.toMatchObject({ code: 'cli.install', message: expect.stringContaining('give --from or --registry') as string });
    expect(existsSync(join(folder, 'target'))).toBe(false);
  });
});
