import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, startMapper } from '@edge/mapper';
import { TestEdgeCore, testDevice } from '@edge/mapper/testing';
import { expect, it, vi } from 'vitest';
import { Room } from './room.js';
import { thermostat } from './thermostat.js';

it('[thermostat-1.1] a room moves towards the target and not beyond', () => {
  let now = 0;
  const room = new Room(18, 0.5, () => now);
  now += 10_000;
  expect(room.temperature).toBe(18);
  room.target = 21;
  expect(room.heating).toBe(true);
  now += 2000;
  expect(room.temperature).toBe(19);
  now += 60_000;
  expect(room.temperature).toBe(21);
  expect(room.heating).toBe(false);
  room.target = 20;
  now += 1000;
  expect(room.temperature).toBe(20.5);
});

it('[thermostat-1.2] the reported temperature follows the desired one, also when it changes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'thermostat-'));
  try {
    await using edgeCore = new TestEdgeCore(join(folder, 'dmi.sock'));
    await edgeCore.start();
    const make = (desired: string): ReturnType<typeof testDevice> =>
      testDevice({ name: 'thermostat-1', protocol: 'simulated-thermostat', config: { start: 18, degreesPerSecond: 100 }, properties: { temperature: { type: 'FLOAT', minimum: '5', maximum: '30', desired }, heating: { type: 'BOOLEAN', accessMode: 'ReadOnly' } } });
    const { device, model } = make('21');
    await edgeCore.add(device, model);
    await using _mapper = await startMapper(thermostat, { name: 'thermostat', protocol: 'simulated-thermostat', edgeCoreSocket: edgeCore.socket, http: false, log: silentLog });
    await vi.waitFor(() => expect(edgeCore.reported('thermostat-1', 'temperature')).toEqual({ reported: '21', observedDesired: '21' }), 15_000);
    await edgeCore.update(make('24.5').device);
    await vi.waitFor(() => expect(edgeCore.reported('thermostat-1', 'temperature')).toEqual({ reported: '24.5', observedDesired: '24.5' }), 15_000);
    await vi.waitFor(() => expect(edgeCore.reported('thermostat-1', 'heating')?.reported).toBe('false'), 15_000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
