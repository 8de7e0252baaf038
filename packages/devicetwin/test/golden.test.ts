import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@edge/core';
import { openStore, type OpenedStore } from '@edge/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeviceBook } from '../src/devices/device-book.js';
import { eventually, openScene } from './support/scene.js';

const GOLDEN = new URL('../../store/test/fixtures/edgecore-go-v1.23.1.db', import.meta.url).pathname;
const DEV = 'default/thermo-1';
let folder = '';
let store: OpenedStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'devicetwin-golden-'));
  copyFileSync(GOLDEN, join(folder, 'edgecore.db'));
  store = await openStore({ path: join(folder, 'edgecore.db'), log: silentLogger });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

describe('a database that upstream wrote', () => {
  it('[twin-5.1] is read, and its rows are written back as they were', async () => {
    await using scene = await openScene({ store });
    const before = [scene.deviceRows(), scene.twinRows()];
    expect(before).toEqual([
      [{ id: DEV, name: 'thermo-1', description: '', state: '', last_online: '' }],
      [
        {
          id: 2,
          deviceid: DEV,
          name: 'temperature',
          description: '',
          expected: '',
          actual: '76',
          expected_meta: '',
          actual_meta: '{"timestamp":1795313196232}',
          expected_version: '',
          actual_version: '{"cloud":0,"edge":3300}',
          optional: 1,
          attr_type: 'int',
          metadata: '{}',
        },
      ],
    ]);
    const book = new DeviceBook({ store });
    book.load();
    const device = book.get(DEV);
    expect(device).toBeDefined();
    if (device) await book.write(device, { device: true, twins: ['temperature'] });
    expect([scene.deviceRows(), scene.twinRows()]).toEqual(before);
  });

  it('[twin-5.2] serves at once, goes on with its versions, and tells the cloud once what the file holds', async () => {
    await using scene = await openScene({ store, connected: true });
    await eventually(() => scene.reported(DEV).length === 2);
    expect(scene.reported(DEV)[0]).toEqual({
      temperature: { actual: { value: '76', metadata: { timestamp: 1795313196232 } }, optional: true, metadata: { type: 'int' }, actual_version: { cloud: 0, edge: 3300 } },
    });
    await scene.publish(`$hw/events/device/${DEV}/twin/update`, { event_id: 'e', twin: { temperature: { actual: { value: '77' } } } });
    expect(scene.twinRows()).toMatchObject([{ id: 2, actual: '77', actual_version: '{"cloud":0,"edge":3301}', attr_type: 'int', metadata: '{}' }]);
  });
});
