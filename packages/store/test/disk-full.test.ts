import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { availableDrivers } from '../src/driver/load.js';
import { buildChild } from './child.js';
import { unitTable } from './children/units.js';
import { scene } from './scene.js';

interface Told {
  readonly word: string;
  readonly acknowledged: number;
  readonly visible: number;
  readonly refused: readonly string[];
}

describe.each(availableDrivers())('a disk that takes no more, through %s', (driver) => {
  const { folder, open } = scene(driver);
  let program = '';
  let child: ChildProcess | undefined;
  beforeAll(async () => void (program = await buildChild('filler')));
  afterAll(() => {
    child?.kill('SIGKILL');
    rmSync(program, { force: true });
  });

  it('[store-7.2] rejects what it cannot write, keeps what it acknowledged, and goes on when there is space again', async () => {
    const path = join(folder(), 'edgecore.db');
    // The limit on the size of files (512 byte blocks) makes real writes fail, without the rights to mount a small disk.
    const running = spawn('sh', ['-c', 'ulimit -S -f 2000; exec "$@"', 'sh', process.execPath, program, path, driver], { stdio: ['pipe', 'pipe', 'inherit'] });
    child = running;
    const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
    const told = async (): Promise<Told> => JSON.parse((await lines.next()).value as string) as Told;

    const full = await told();
    expect(full.word).toBe('full');
    expect(full.acknowledged).toBeGreaterThan(10);
    expect(full.visible).toBe(full.acknowledged);
    expect(['store.io', 'store.disk-full', 'store.commit-lost']).toEqual(expect.arrayContaining([...full.refused]));

    execFileSync('prlimit', ['--pid', String(running.pid), '--fsize=unlimited']);
    running.stdin.write('go on\n');
    const again = await told();
    expect(again).toMatchObject({ word: 'again', refused: [], acknowledged: full.acknowledged + 100, visible: full.acknowledged + 100 });
    const closed = once(running, 'close');
    running.stdin.end();
    expect((await closed)[0]).toBe(0);

    const store = await open({ path });
    expect(store.report.setAside).toBeUndefined();
    expect(store.table(unitTable).count()).toBe(again.acknowledged);
  }, 60_000);
});
