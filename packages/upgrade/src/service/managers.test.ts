import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Openrc } from './openrc.js';
import { runCommand, type RunCommand } from './run-command.js';
import { Systemd } from './systemd.js';

/** Notes what is asked for, and answers what the service manager would. */
function played(answers: Readonly<Record<string, string>> = {}): { readonly asked: string[]; readonly run: RunCommand } {
  const asked: string[] = [];
  return {
    asked,
    run: async (program, args) => {
      const command = [program, ...args].join(' ');
      asked.push(command);
      return answers[command] ?? '';
    },
  };
}

const SHOW = 'systemctl show --property=MainPID --value edgecore.service';
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-managers-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('systemd', () => {
  it('[upgrade-9.5] stops and waits, starts and does not wait, knows the process', async () => {
    const { asked, run } = played({ [SHOW]: '4711' });
    const manager = new Systemd({ run });
    await manager.stop();
    await manager.start();
    expect(await manager.running()).toBe(4711);
    expect(asked).toEqual(['systemctl stop edgecore.service', 'systemctl start --no-block edgecore.service', SHOW]);
    expect(await new Systemd({ run: played({ [SHOW]: '0' }).run }).running()).toBeUndefined();
  });

  it('[upgrade-9.8] makes the unit known and forgets it, a failed one too', async () => {
    const { asked, run } = played();
    const manager = new Systemd({ run: async (program, args) => (args[0] === 'reset-failed' ? Promise.reject(new Error('not loaded')) : run(program, args)) });
    await manager.register();
    await manager.unregister();
    await manager.forget();
    expect(asked).toEqual(['systemctl daemon-reload', 'systemctl enable edgecore.service', 'systemctl disable edgecore.service', 'systemctl daemon-reload']);
  });
});

describe('OpenRC', () => {
  it('[upgrade-9.6] finds the agent as the child of its supervisor', async () => {
    const pidFile = join(folder, 'edgecore.pid');
    const manager = new Openrc({ run: played().run, pidFile, proc: folder });
    expect(await manager.running()).toBeUndefined();
    await writeFile(pidFile, '12\n');
    expect(await manager.running()).toBeUndefined();
    await mkdir(join(folder, '12', 'task', '12'), { recursive: true });
    await writeFile(join(folder, '12', 'task', '12', 'children'), '34 ');
    expect(await manager.running()).toBe(34);
  });

  it('[upgrade-9.9] starts with the machine until it is taken out of every runlevel', async () => {
    const { asked, run } = played();
    const manager = new Openrc({ run });
    await manager.register();
    await manager.start();
    await manager.stop();
    await manager.unregister();
    expect(asked).toEqual(['rc-update add edgecore default', 'rc-service edgecore start', 'rc-service edgecore stop', 'rc-update delete --all edgecore']);
  });
});

it('[upgrade-9.7] what a service manager refuses comes with its command and its words', async () => {
  await expect(runCommand('sh', ['-c', 'echo no such unit >&2; exit 5'])).rejects.toMatchObject({ code: 'upgrade.service', message: 'sh -c echo no such unit >&2; exit 5 failed: no such unit' });
  await expect(runCommand('/does/not/exist', [])).rejects.toMatchObject({ code: 'upgrade.service', message: expect.stringContaining('ENOENT') as string });
});
