import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryStore, describeModule } from '@edge/testing';
import { devicetwin } from '../src/index.js';

describeModule(devicetwin, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'devicetwin-'));
  return {
    store: createMemoryStore(),
    config: { modules: { deviceTwin: { dmiSockPath: folder } } },
    dispose: async () => rmSync(folder, { recursive: true, force: true }),
  };
});
