import { createInterface } from 'node:readline';
import { errorCode, silentLogger } from '@edge/core';
import type { DriverName } from '../../src/driver/load.js';
import { openStore } from '../../src/open.js';
import { unitTable } from './units.js';

/** Commits until the disk refuses, says how, and goes on when it is told that there is space again. */
const [path = '', driver] = process.argv.slice(2);
const store = await openStore({ path, log: silentLogger, driver: driver as DriverName });
const table = store.table(unitTable);
let next = 1;
let acknowledged = 0;
const refused = new Set<string>();

const commitSome = async (count: number): Promise<void> => {
  const results = await Promise.allSettled(
    Array.from({ length: count }, () => {
      const unit = next++;
      return store.commit(() => table.put({ unit, part: 0, text: 'x'.repeat(3000) }));
    }),
  );
  for (const result of results) {
    if (result.status === 'fulfilled') acknowledged++;
    else refused.add(errorCode(result.reason));
  }
};
const report = (word: string): void =>
  void process.stdout.write(`${JSON.stringify({ word, acknowledged, visible: table.count(), refused: [...refused] })}\n`);

while (refused.size === 0) await commitSome(10);
for (let round = 0; round < 5; round++) await commitSome(10);
report('full');
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'go on') break;
  refused.clear();
  await commitSome(100);
  report('again');
}
await store.close();
