import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@edge/core';
import { storeSuite } from '@edge/testing';
import { afterAll } from 'vitest';
import { availableDrivers, openStore, type OpenedStore } from '../src/index.js';

// Node 20 has one driver, Node 22.13 and newer have two; test/on-node.mjs runs this file on a newer one.
for (const driver of availableDrivers()) {
  const root = mkdtempSync(join(tmpdir(), 'edge-store-port-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  let count = 0;
  storeSuite({
    name: `SQLite through ${driver}`,
    open: () => openStore({ path: join(root, `${count++}.db`), log: silentLogger, driver }),
    async reopen(store) {
      const { report } = store as OpenedStore;
      await (store as OpenedStore).close();
      return openStore({ path: report.path, log: silentLogger, driver });
    },
  });
}
