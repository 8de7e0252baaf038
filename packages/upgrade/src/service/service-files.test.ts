import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openrcScript } from './openrc-script.js';
import { detectService } from './service-kind.js';
import { systemdUnit } from './systemd-unit.js';

const run = promisify(execFile);
const OPTIONS = { program: '/usr/local/bin/edgecore', args: [], environment: { MALLOC_MMAP_THRESHOLD_: '32768' }, stopSeconds: 90 };
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-service-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('which service manager', () => {
  it.each([
    [{ systemdRuns: true, openrcInstalled: false }, 'systemd'],
    [{ systemdRuns: true, openrcInstalled: true }, 'systemd'],
    [{ systemdRuns: false, openrcInstalled: true }, 'openrc'],
    [{ systemdRuns: false, openrcInstalled: false }, 'none'],
  ])('[upgrade-9.1] %j means %s', (facts, kind) => {
    expect(detectService(facts)).toBe(kind);
  });
});

describe('unit of systemd', () => {
  /** What systemd itself says of the unit. */
  const verify = async (unit: string): Promise<string> => {
    const path = join(folder, 'edgecore.service');
    await writeFile(path, unit);
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', path]);
    return stdout + stderr;
  };

  it.each([
    ['as it is installed', [], undefined],
    ['with a configuration elsewhere, whose name holds all that is special', ['--config', '/tmp/a b%c$d"e\\f.yaml'], -999],
  ])('[upgrade-9.2] passes systemd-analyze verify without a word: %s', async (_, args, oomScoreAdjust) => {
    const program = join(folder, 'edgecore');
    await writeFile(program, '#!/bin/sh\n');
    await chmod(program, 0o755);
    expect(await verify(systemdUnit({ ...OPTIONS, program, args, ...(oomScoreAdjust === undefined ? {} : { oomScoreAdjust }) }))).toBe('');
  });

  it('[upgrade-9.10] that systemd would not take whole is seen by that check', async () => {
    const unit = systemdUnit({ ...OPTIONS, program: '/bin/true' }).replace('KillMode=process', 'KillMode=some');
    await expect(verify(unit)).rejects.toThrow('Failed to parse kill mode specification, ignoring: some');
  });

  it('[upgrade-9.3] starts with the cable out, says when it is ready and that it moves, is started again without end, and leaves its children alone', () => {
    const unit = systemdUnit(OPTIONS);
    expect(unit).not.toContain('network-online');
    for (const line of ['Type=notify', 'NotifyAccess=all', 'WatchdogSec=120', 'Restart=always', 'StartLimitIntervalSec=0', 'KillMode=process', 'ExecStart=/usr/local/bin/edgecore', 'Environment=MALLOC_MMAP_THRESHOLD_=32768']) {
      expect(unit.split('\n')).toContain(line);
    }
    expect(unit).not.toContain('OOMScoreAdjust');
  });
});

describe('script of OpenRC', () => {
  const path = (): string => join(folder, 'edgecore.openrc');
  /** Runs functions of the script as openrc-run does: sourced, with the helpers of OpenRC played. */
  const played = async (args: readonly string[], script: string): Promise<string> => {
    await writeFile(path(), openrcScript({ ...OPTIONS, args }));
    const helpers = 'need() { echo need $*; }; use() { echo use $*; }; after() { echo after $*; }; checkpath() { echo checkpath $*; }';
    return execFileSync('sh', ['-euc', `${helpers}\n. "$1"\n${script}`, 'sh', path()], { encoding: 'utf8' });
  };

  it('[upgrade-9.4] is a script that a POSIX shell reads', async () => {
    await writeFile(path(), openrcScript(OPTIONS));
    expect(execFileSync('sh', ['-n', path()], { encoding: 'utf8' })).toBe('');
  });

  it('[upgrade-9.11] supervises the launcher without end, with its arguments, and needs no network', async () => {
    const args = ['--config', "/srv/it's here/edgecore.yaml"];
    // supervise-daemon takes the words as a shell reads them.
    const out = await played(args, 'depend; start_pre; echo "$supervisor $respawn_max"; eval "printf \'[%s]\' $command $command_args"; sh -c \'echo; echo $MALLOC_MMAP_THRESHOLD_\'');
    expect(out.split('\n')).toEqual([
      'need localmount',
      'use containerd crio mosquitto',
      'after net bootmisc',
      'checkpath --directory --mode 0755 /var/log/kubeedge',
      'supervise-daemon 0',
      `[/usr/local/bin/edgecore][--config][${args[1]}]`,
      '32768',
      '',
    ]);
  });
});
