import { silentLogger } from '@edge/core';
import type { DriverName } from '../../src/driver/load.js';
import { openStore } from '../../src/open.js';
import { unitTable, PARTS } from './units.js';

/** Commits numbered units of several rows until it is killed; prints a line for each that is durable. */
const [path = '', driver] = process.argv.slice(2);
const store = await openStore({ path, log: silentLogger, driver: driver as DriverName });
const table = store.table(unitTable);
const last = table.all({}, { orderBy: ['unit'], descending: true, limit: 1 })[0];
let unit = (last?.unit ?? 0) + 1;
process.stdout.write('ready\n');

const commitOne = async (): Promise<void> => {
  const number = unit++;
  await store.commit(() => {
    for (let part = 0; part < PARTS; part++) table.put({ unit: number, part, text: 'x'.repeat((number * 37) % 3000) });
    // Deletes what is old, so that the file has free pages and its log is written back now and then.
    table.remove({ unit: number - 500 });
  });
  process.stdout.write(`ack ${number}\n`);
};
for (;;) {
  const width = 1 + (unit % 7);
  await Promise.all(Array.from({ length: width }, commitOne));
}
