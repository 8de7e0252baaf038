import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ConfigError, loadConfig, printDefaultConfig, writeBack } from '../src/index.js';
import { edit } from '../src/write-back/edit.js';
import { host } from './help.js';

const TOKEN = 'modules.edgeHub.token';

describe('changing a text', () => {
  it.each([
    ['a plain value', 'modules:\n  edgeHub:\n    token: abc  # used once\n    heartbeat: 15 # s\n', 'modules:\n  edgeHub:\n    token: ""  # used once\n    heartbeat: 15 # s\n'],
    ['a quoted value', "modules: # all\n\n    edgeHub:\n          token:   'a\"b'\n", 'modules: # all\n\n    edgeHub:\n          token:   ""\n'],
    ['a value over two lines', 'modules:\n  edgeHub:\n    token: abc\n      def\n    x: 1\n', 'modules:\n  edgeHub:\n    token: ""\n    x: 1\n'],
    ['no value at all', 'modules:\n  edgeHub:\n    token:\n    x: 1\n', 'modules:\n  edgeHub:\n    token: ""\n    x: 1\n'],
    ['brackets', 'modules: {edgeHub: {token: abc, x: [1,2]}} # all\n', 'modules: {edgeHub: {token: "", x: [1,2]}} # all\n'],
    ['other spelling', 'Modules:\n  EDGEHUB:\n    Token: abc\n', 'Modules:\n  EDGEHUB:\n    Token: ""\n'],
    ['Windows line ends', 'modules:\r\n  edgeHub:\r\n    token: abc\r\n    x: 1\r\n', 'modules:\r\n  edgeHub:\r\n    token: ""\r\n    x: 1\r\n'],
    ['no line end at the end', 'modules:\n  edgeHub:\n    token: abc', 'modules:\n  edgeHub:\n    token: ""'],
    ['a missing key', '# top\nmodules:\n  # the hub\n  edgeHub:\n    # s\n    heartbeat: 3 # s\n    # l\n    x: 1\n', '# top\nmodules:\n  # the hub\n  edgeHub:\n    # s\n    heartbeat: 3 # s\n    token: ""\n    # l\n    x: 1\n'],
    ['a key that is there twice', 'modules:\n  edgeHub:\n    token: a\n    token: b\n', 'modules:\n  edgeHub:\n    token: a\n    token: ""\n'],
  ])('[config-9.1] %s: only that value changes', (_, before, after) => {
    expect(edit(before, [{ path: TOKEN, value: '' }])).toBe(after);
  });

  it('[config-9.2] a key is added below the first one, several changes go in order', () => {
    const before = '# mine\napiVersion: edgecore.config.kubeedge.io/v1alpha2\nkind: EdgeCore # yes\n\nmodules: {}\n';
    const changes = [{ path: 'edgecoreVersion', value: 'v1.23.1' }, { path: TOKEN, value: '' }];
    const after = edit(before, changes) ?? '';
    expect(after).toContain('# mine\napiVersion: edgecore.config.kubeedge.io/v1alpha2\nedgecoreVersion: v1.23.1\nkind: EdgeCore # yes\n\n');
    expect(parse(after)).toMatchObject({ edgecoreVersion: 'v1.23.1', modules: { edgeHub: { token: '' } } });
  });

  it.each([
    ['a block text', 'modules:\n  edgeHub:\n    token: |\n      abc\n    x: 1 # one\n'],
    ['an alias', 'x: &t abc # t\nmodules:\n  edgeHub:\n    token: *t\n'],
    ['an anchor', 'modules:\n  edgeHub:\n    token: &t abc # t\n'],
    ['an empty section', 'modules:\n  edgeHub: # hub\n'],
    ['a missing section', '# all\nmodules:\n  edged:\n    enable: true # on\n'],
    ['an empty file', '# nothing yet\n'],
  ])('[config-9.3] %s: the meaning is right and the comments stay', (_, before) => {
    const after = edit(before, [{ path: TOKEN, value: '' }]) ?? '';
    expect(loadConfig(after, host).config.modules.edgeHub.token).toBe('');
    expect(after).toMatch(/token: (\n +)?""/);
    for (const comment of before.match(/#.*/g) ?? []) expect(after).toContain(comment);
  });

  it.each(['modules: [1\n', '- a\n', 'word', 'modules: 5\n', `a: &a [x,x]\nb: &b [${'*a,'.repeat(5000)}]\nc: [${'*b,'.repeat(5000)}]\n`, '['.repeat(100_000)])('[config-9.4] what cannot be edited is refused, not mangled: %#', (text) => {
    expect(edit(text, [{ path: TOKEN, value: '' }])).toBeUndefined();
  });

  it('[config-9.5] any text value at any place of the printed defaults reads back as it was given, and nothing else changes', () => {
    const text = printDefaultConfig(host);
    const places = fc.constantFrom(TOKEN, 'edgecoreVersion', 'modules.edged.hostnameOverride', 'modules.edged.nodeIP', 'modules.eventBus.mqttPassword');
    fc.assert(
      fc.property(places, fc.string({ unit: 'grapheme' }), (path, value) => {
        const after = edit(text, [{ path, value }]) ?? '';
        const expected = parse(text) as Record<string, unknown>;
        const keys = path.split('.');
        const parent = keys.slice(0, -1).reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, expected);
        parent[keys.at(-1) ?? ''] = value;
        expect(parse(after)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });
});

describe('changing a file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edge-config-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const make = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  };

  it('[config-9.6] keeps the mode, and leaves no other file behind', async () => {
    const path = await make('mode.yaml', 'edgecoreVersion: a\n');
    await chmod(path, 0o640);
    expect(await writeBack(path, [{ path: 'edgecoreVersion', value: 'b' }])).toBe(true);
    expect(await readFile(path, 'utf8')).toBe('edgecoreVersion: b\n');
    expect((await stat(path)).mode & 0o7777).toBe(0o640);
    expect((await readdir(folder)).filter((name) => name.includes('mode.yaml'))).toEqual(['mode.yaml']);
  });

  it('[config-9.7] replaces the file in one step: who has it open still reads the old text', async () => {
    const path = await make('inode.yaml', 'edgecoreVersion: a\n');
    const { ino } = await stat(path);
    await writeBack(path, [{ path: 'edgecoreVersion', value: 'b' }]);
    expect((await stat(path)).ino).not.toBe(ino);
  });

  it('[config-9.8] touches nothing when the file already says so', async () => {
    const path = await make('same.yaml', 'edgecoreVersion: a # x\n');
    const before = await stat(path);
    expect(await writeBack(path, [{ path: 'edgecoreVersion', value: 'a' }])).toBe(false);
    expect((await stat(path)).ino).toBe(before.ino);
  });

  it('[config-9.9] a link stays a link', async () => {
    await mkdir(join(folder, 'real'));
    const real = await make('real/edgecore.yaml', 'edgecoreVersion: a\n');
    const link = join(folder, 'link.yaml');
    await symlink(real, link);
    await writeBack(link, [{ path: 'edgecoreVersion', value: 'b' }]);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readFile(real, 'utf8')).toBe('edgecoreVersion: b\n');
  });

  it('[config-9.10] a file that is not there or is broken gives a typed error without its content', async () => {
    await expect(writeBack(join(folder, 'none.yaml'), [])).rejects.toMatchObject({ code: 'config.missing' });
    const broken = await make('broken.yaml', 'token: [hush-hush\n');
    const error: unknown = await writeBack(broken, [{ path: TOKEN, value: '' }]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'config.unwritable' });
    expect(String(error)).not.toContain('hush');
    expect(await readFile(broken, 'utf8')).toBe('token: [hush-hush\n');
  });
});
