import { execFile } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layBusybox, layProgramWithLibraries, laySkeleton } from './rootfs.mjs';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'packages', 'cli', 'package.json'), 'utf8')) as { version: string };
const TOKEN = 'a.b.c.d';

let folder = '';
/** A machine with Node.js, busybox and dpkg's records. */
let machine = '';
let deb = '';
let before: string[] = [];

async function run(command: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await execute(command, args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }, maxBuffer: 2 ** 26 });
  return `${stdout}${stderr}`;
}

const dpkg = (...args: readonly string[]): Promise<string> => run('dpkg', `--root=${machine}`, '--force-confold', ...args);
const inside = (...args: readonly string[]): Promise<string> => run('chroot', machine, ...args);
const files = (): string[] => readdirSync(machine, { recursive: true, encoding: 'utf8' }).filter((path) => !path.startsWith('dev/') && !path.startsWith('var/lib/dpkg') && !path.startsWith('var/log/dpkg') && path !== 'systemctl.log').sort();
const systemctlWords = (): string[] => readFileSync(join(machine, 'systemctl.log'), 'utf8').trim().split('\n');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-deb-test-'));
  machine = join(folder, 'machine');
  deb = join(folder, 'edgecore.deb');
  // Made by somebody whose files are for nobody else.
  const made = execute('sh', ['-c', 'umask 077 && exec "$@"', 'sh', process.execPath, join(root, 'tools', 'deb.mjs'), '--no-compress', '--out', deb]);
  laySkeleton(machine);
  layProgramWithLibraries(machine, process.execPath);
  layBusybox(machine);
  // Notes what it is told; there is no systemd that could do it.
  for (const path of ['usr/bin', 'usr/lib/systemd/system', 'etc/systemd/system', 'etc/default', 'usr/share/doc', 'var/lib/dpkg/info', 'var/lib/dpkg/updates']) mkdirSync(join(machine, path), { recursive: true });
  writeFileSync(join(machine, 'usr/bin/systemctl'), '#!/bin/sh\necho "$@" >>/systemctl.log\n');
  chmodSync(join(machine, 'usr/bin/systemctl'), 0o755);
  writeFileSync(join(machine, 'systemctl.log'), '');
  writeFileSync(join(machine, 'var/lib/dpkg/status'), `Package: nodejs\nStatus: install ok installed\nVersion: ${process.versions.node}\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: the one in here\n`);
  before = files();
  await made;
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('[bundle-1.3] the one file is not laid where the node_modules of somebody else would have to go', async () => {
  const theirs = join(folder, 'theirs');
  mkdirSync(join(theirs, 'node_modules', 'other'), { recursive: true });
  await expect(execute(process.execPath, [join(root, 'tools', 'bundle.mjs'), '--out', theirs])).rejects.toMatchObject({ code: 1, stderr: `${theirs} has a node_modules that is not the agent's, which would be replaced: name an empty folder\n` });
  expect(readdirSync(theirs, { recursive: true }).sort()).toEqual(['node_modules', 'node_modules/other']);
});

describe('Debian package', () => {
  it('[deb-1.1] has the fields and permissions that Debian expects, and a unit that systemd understands', async () => {
    const field = async (name: string): Promise<string> => (await run('dpkg-deb', '--field', deb, name)).trim();
    expect(await field('Package')).toBe('edgecore');
    expect(await field('Version')).toBe(version);
    expect(await field('Architecture')).toBe((await run('dpkg', '--print-architecture')).trim());
    expect(await field('Depends')).toBe('nodejs (>= 20.19)');
    expect(await field('Maintainer')).toMatch(/^.+ <.+@.+>$/);
    expect(Number(await field('Installed-Size'))).toBeGreaterThan(1000);
    expect((await field('Description')).split('\n')[0]).not.toMatch(/^(an?|the) |\.$/i);
    const listed = (await run('dpkg-deb', '--contents', deb)).trim().split('\n').map((line) => line.split(/\s+/));
    expect(listed.filter(([mode = '', owner, , , , path = '']) => owner !== 'root/root' || !(mode === 'drwxr-xr-x' || mode === (path === './usr/bin/edgecore' ? '-rwxr-xr-x' : '-rw-r--r--')))).toEqual([]);
    const paths = listed.map((words) => words[5]);
    for (const path of ['./usr/share/doc/edgecore/copyright', './usr/share/doc/edgecore/changelog.gz', './etc/default/edgecore']) expect(paths).toContain(path);
    // What join writes is nobody's but join's.
    expect(paths.filter((path) => path?.includes('kubeedge'))).toEqual([]);
  });

  it('[deb-1.2] installs, and the program runs there; without a configuration it says how to join', async () => {
    const said = await dpkg('--install', deb);
    expect(said).toContain('edgecore join');
    expect(await inside('/usr/bin/edgecore', '--version')).toContain(`@edge/cli ${version}, Node.js ${process.versions.node}`);
    expect(await inside('/usr/bin/edgecore', 'modules', '--check')).toContain('@edge/edgehub');
    expect(systemctlWords()).toEqual(['enable edgecore.service']);
    const unit = await run('systemd-analyze', `--root=${machine}`, 'verify', '--man=no', '--recursive-errors=no', 'edgecore.service').catch((error: unknown) => String(error));
    expect(unit).not.toMatch(/edgecore\.service:/);
  });

  it('[deb-1.3] join writes the configuration, and neither a newer package nor its removal touches it or the settings', async () => {
    const joined = await inside('/usr/bin/edgecore', 'join', '--cloudcore-ipport', '203.0.113.7:10000', '--token', TOKEN, '--node-name', 'edge-1');
    expect(joined).toContain('edgecore --config');
    const configuration = readFileSync(join(machine, 'etc/kubeedge/config/edgecore.yaml'), 'utf8');
    appendFileSync(join(machine, 'etc/default/edgecore'), '# mine\n');
    const newer = join(folder, 'newer');
    await run('dpkg-deb', '--raw-extract', deb, newer);
    const control = join(newer, 'DEBIAN', 'control');
    writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*/m, 'Version: 99.0.0'));
    await run('dpkg-deb', '--root-owner-group', '-Znone', '--build', newer, join(folder, 'newer.deb'));
    const said = await dpkg('--install', join(folder, 'newer.deb'));
    expect(said).not.toContain('edgecore join');
    expect(await run('dpkg-query', `--admindir=${machine}/var/lib/dpkg`, '--show', '--showformat=${Version} ${Status}', 'edgecore')).toBe('99.0.0 install ok installed');
    expect(readFileSync(join(machine, 'etc/kubeedge/config/edgecore.yaml'), 'utf8')).toBe(configuration);
    expect(readFileSync(join(machine, 'etc/default/edgecore'), 'utf8')).toMatch(/# mine\n$/);
  });

  it('[deb-1.4] a unit of that name in /etc is left alone', async () => {
    const unit = join(machine, 'etc/systemd/system/edgecore.service');
    writeFileSync(unit, '[Service]\nExecStart=/usr/local/bin/edgecore\n');
    writeFileSync(join(machine, 'systemctl.log'), '');
    await dpkg('--remove', 'edgecore');
    await dpkg('--install', deb);
    expect(systemctlWords()).toEqual(['']);
    expect(readFileSync(unit, 'utf8')).toContain('/usr/local/bin/edgecore');
    rmSync(unit);
  });

  it('[deb-1.5] removed, it leaves configuration alone; purged, what is the node\'s own', async () => {
    await dpkg('--remove', 'edgecore');
    expect(systemctlWords().at(-1)).toBe('disable edgecore.service');
    const left = (): string[] => files().filter((path) => !before.includes(path));
    expect(left()).toEqual(['etc/default/edgecore', 'etc/kubeedge/config/edgecore.yaml']);
    expect(await dpkg('--purge', 'edgecore')).toContain('/etc/kubeedge stays');
    expect(left()).toEqual(['etc/kubeedge/config/edgecore.yaml']);
    expect(existsSync(join(machine, 'usr/lib/edgecore'))).toBe(false);
  });
});
