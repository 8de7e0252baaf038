import { silentLogger } from '@edge/core';
import type { DriverName } from '../../src/driver/load.js';
import { openStore } from '../../src/open.js';

/** Opens and closes a store in a process where no driver was loaded before. */
const [path = '', driver] = process.argv.slice(2);
const store = await openStore({ path, log: silentLogger, driver: driver as DriverName });
await store.close();
process.emitWarning('still here');
process.stdout.write('closed\n');
