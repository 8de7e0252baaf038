import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@edge/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KEEPER, mainScript } from '../src/process-runtime/keeper-script.js';
import { containerPaths } from '../src/process-runtime/layout.js';
import { parseIdentity, parseStat } from '../src/process-runtime/process-identity.js';
import type { ProcessIdentity } from '../src/process-runtime/process-identity.js';
import { openProcessTable } from '../src/process-runtime/process-table.js';
import { pauseMembers } from '../src/process-runtime/processes.js';
import { Workshop } from './process-runtime/workshop.js';

const NO_PROC = '/no/such/proc';

// On systems without /proc the same questions go to ps. The keeper is told so by a script that looks elsewhere.
describe.each([
  ['/proc', '/proc'],
  ['ps', NO_PROC],
])('the table of processes by %s', (_, proc) => {
  let shop: Workshop;
  let keeper: ChildProcess;
  let identity: ProcessIdentity;
  let main: ProcessIdentity;

  beforeEach(async () => {
    shop = await Workshop.create();
    const paths = containerPaths(join(shop.root, 'containers/c'));
    await mkdir(paths.run, { recursive: true });
    await writeFile(paths.keeperScript, KEEPER.replaceAll('/proc/$$', () => `${proc}/$$`));
    await writeFile(paths.mainScript, mainScript('').replaceAll('/proc/$$', () => `${proc}/$$`));
    keeper = spawn('/bin/sh', [paths.keeperScript, '/bin/sh', '-c', 'sleep 60 & wait'], {
      detached: true,
      stdio: 'ignore',
      env: { PATH: '/usr/bin:/bin', EDGE_ROOT: paths.root },
    });
    const read = (path: string): Promise<ProcessIdentity> => eventually(async () => parseIdentity(await readFile(path, 'utf8').catch(() => '')), path);
    identity = await read(paths.keeper);
    main = await read(paths.main);
  });
  afterEach(() => shop[Symbol.asyncDispose]());

  it('[edged-process-table-1] knows a living process from another one with its pid and from a dead one', async () => {
    const table = await openProcessTable(proc);
    expect(identity.pid).toBe(keeper.pid);
    expect(await table.alive(identity)).toBe(true);
    expect(await table.alive(main)).toBe(true);
    expect(await table.alive({ ...identity, start: 'another time' })).toBe(false);
    process.kill(main.pid, 'SIGKILL');
    await once(keeper, 'exit');
    expect(await table.alive(identity)).toBe(false);
    expect(await table.alive(main)).toBe(false);
  });

  it('[edged-process-table-2] finds the processes of a container without its keeper', async () => {
    const table = await openProcessTable(proc);
    const members = await eventually(async () => {
      const found = await table.members({ keeper: identity, mark: `EDGE_ROOT=${join(shop.root, 'containers/c/root')}` });
      return found.length === 2 ? found : undefined;
    }, 'shell and sleep are there');
    expect(members).toContain(main.pid);
    expect(members).not.toContain(identity.pid);
  });

  it('[edged-process-table-4] does not take the session of a later process with the pid of the keeper for that of the container', async () => {
    const table = await openProcessTable(proc);
    expect(await table.members({ keeper: { ...identity, start: '1' }, mark: 'EDGE_ROOT=/elsewhere' })).toEqual([]);
  });

  it('[edged-process-table-3] pauses a container only where it can be sure, and a pause that nobody ends is ended by its guard', async () => {
    const table = await openProcessTable(proc);
    const attempt = (): ReturnType<typeof pauseMembers> => pauseMembers(table, { keeper: identity, mark: `EDGE_ROOT=${join(shop.root, 'containers/c/root')}` });
    // On a busy machine the processes may not be at rest in time; the agent then tries again later as well.
    const pause = proc === NO_PROC ? await attempt() : await eventually(attempt, 'all are at rest');
    const state = async (): Promise<string | undefined> => parseStat(await readFile(`/proc/${main.pid}/stat`, 'utf8'))?.state;
    if (proc === NO_PROC) {
      expect(pause).toBeUndefined();
    } else {
      expect(pause?.holds()).toBe(true);
      expect(await state()).toBe('T');
    }
    await eventually(async () => ((await state()) === 'S' ? true : undefined), 'the process goes on');
    expect(pause?.holds() ?? false).toBe(false);
    pause?.release();
  });
});
