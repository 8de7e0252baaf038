import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { availableDrivers } from '../src/driver/load.js';
import { buildChild } from './child.js';
import { PARTS, unitTable } from './children/units.js';
import { scene } from './scene.js';

const KILLS = 50;

describe.each(availableDrivers())('kill -9, through %s', (driver) => {
  const { folder, open } = scene(driver);
  let program = '';
  beforeAll(async () => void (program = await buildChild('committer')));
  afterAll(() => rmSync(program, { force: true }));

  it(`[store-7.1] loses no acknowledged unit and shows no half one in ${KILLS} kills at random points`, async () => {
    const path = join(folder(), 'edgecore.db');
    let acknowledged = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const last = await runAndKill(path, Math.random() * 60);
      acknowledged = Math.max(acknowledged, last);
      // Every second time the next child finds the log as the killed one left it.
      if (kill % 2 === 0) continue;
      const store = await open({ path });
      expect(store.report.setAside).toBeUndefined();
      const table = store.table(unitTable);
      const newest = table.all({}, { orderBy: ['unit'], descending: true, limit: 1 })[0]?.unit ?? 0;
      expect(newest, `kill ${kill}`).toBeGreaterThanOrEqual(acknowledged);
      for (let unit = Math.max(1, newest - 499); unit <= newest; unit++) {
        expect(table.count({ unit }), `kill ${kill}, unit ${unit}`).toBe(PARTS);
      }
      await store.close();
    }
    expect(acknowledged).toBeGreaterThan(KILLS);
  }, 300_000);

  /** Returns the last unit that the child called durable. Some kills come before it is even open. */
  async function runAndKill(path: string, milliseconds: number): Promise<number> {
    const child = spawn(process.execPath, [program, path, driver], { stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(child, 'close');
    let last = 0;
    let armed = false;
    const arm = (): void => {
      if (armed) return;
      armed = true;
      setTimeout(() => child.kill('SIGKILL'), milliseconds);
    };
    createInterface({ input: child.stdout }).on('line', (line) => {
      arm();
      if (line.startsWith('ack ')) last = Math.max(last, Number(line.slice(4)));
    });
    const patience = setTimeout(arm, 20_000);
    await closed;
    clearTimeout(patience);
    return last;
  }
});
