import { expect, it } from 'vitest';
import type { DeviceState } from '../src/index.js';
import { testDevice, type TestDevice, type TestProperty } from '../src/testing/index.js';
import { bench, eventually, fail, TableDriver } from './support.js';

const here = bench();

/** A mapper with one device that has these properties. */
async function withProperties(driver: TableDriver, properties: Record<string, TestProperty>, options: Parameters<typeof here.start>[1] = {}, more: Partial<TestDevice> = {}): Promise<Awaited<ReturnType<typeof here.start>>> {
  await here.edgeCore.start();
  const { device, model } = testDevice({ ...more, properties });
  await here.edgeCore.add(device, model);
  return here.start(driver, options);
}

async function change(properties: Record<string, TestProperty>, more: Partial<TestDevice> = {}): Promise<void> {
  await here.edgeCore.update(testDevice({ ...more, properties }).device);
}

it('[mapper-3.1] properties of one round go in one report, with observedDesired and metadata in each', async () => {
  const driver = new TableDriver();
  driver.values.set('a', 1).set('b', 2);
  await withProperties(driver, { a: {}, b: {}, silent: { reportToCloud: false } });
  await eventually(() => expect(here.edgeCore.statuses.length).toBeGreaterThan(2));
  const metadata = { timestamp: expect.stringMatching(/^\d{13}$/) as string, type: 'int' };
  expect(here.edgeCore.statuses[0]).toMatchObject({
    deviceName: 'dev1',
    deviceNamespace: 'default',
    reportedDevice: {
      twins: [
        { propertyName: 'a', observedDesired: { value: '', metadata }, reported: { value: '1', metadata } },
        { propertyName: 'b', observedDesired: { value: '', metadata }, reported: { value: '2', metadata } },
      ],
    },
  });
  expect(here.edgeCore.reported('dev1', 'silent')).toBeUndefined();
  expect(driver.count('read silent')).toBe(0);
});

it('[mapper-3.2] reads by collectCycle and reports by reportCycle', async () => {
  const driver = new TableDriver();
  await withProperties(driver, { often: { collectCycle: 10, reportCycle: 100_000 }, seldom: { collectCycle: 100_000 } });
  await eventually(() => expect(driver.count('read often')).toBeGreaterThan(10));
  expect(driver.count('read seldom')).toBe(1);
  const names = here.edgeCore.statuses.flatMap(({ reportedDevice }) => reportedDevice?.twins.map(({ propertyName }) => propertyName));
  expect(names.sort()).toEqual(['often', 'seldom']);
});

it('[mapper-3.3] on request only changes are reported', async () => {
  const driver = new TableDriver();
  driver.values.set('temperature', 20);
  await withProperties(driver, { temperature: { collectCycle: 5 } }, { report: 'change' });
  await eventually(() => expect(driver.count('read temperature')).toBeGreaterThan(10));
  expect(here.edgeCore.statuses).toHaveLength(1);
  driver.values.set('temperature', 21);
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')?.reported).toBe('21'));
  expect(here.edgeCore.statuses).toHaveLength(2);
});

it('[mapper-3.4] a desired value is written when it comes and when it changes, then read and reported at once', async () => {
  const driver = new TableDriver();
  const slow = { collectCycle: 100_000 };
  await withProperties(driver, { temperature: { ...slow, desired: '25' } });
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')).toEqual({ reported: '25', observedDesired: '25' }));
  await change({ temperature: { ...slow, desired: '30' } });
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')).toEqual({ reported: '30', observedDesired: '30' }));
  expect(driver.calls.filter((call) => call.startsWith('write'))).toEqual(['write temperature=25 default/dev1', 'write temperature=30 default/dev1']);
});

it.each<[string, TestProperty, string]>([
  ['below the minimum', { minimum: '0', desired: '-1' }, '-1 is out of the range 0 .. Infinity'],
  ['above the maximum', { minimum: '0', maximum: '10', desired: '11' }, '11 is out of the range 0 .. 10'],
  ['of another type', { desired: 'warm' }, '"warm" is no INT'],
  ['of a read only property', { accessMode: 'ReadOnly', desired: '5' }, 'property temperature is read only'],
])('[mapper-3.5] a desired value %s is not written, and why is said once', async (_title, property, reason) => {
  const driver = new TableDriver();
  const mapper = await withProperties(driver, { temperature: property });
  await eventually(() => expect(driver.count('read temperature')).toBeGreaterThan(5));
  expect(driver.calls.filter((call) => call.startsWith('write'))).toEqual([]);
  expect(here.lines.filter((line) => line.includes(reason))).toHaveLength(1);
  expect(here.edgeCore.reported('dev1', 'temperature')).toEqual({ reported: '0', observedDesired: '' });
  // The device itself is well.
  expect(mapper.health().devices).toMatchObject([{ state: 'online', failing: { temperature: expect.stringContaining(reason) as string } }]);
});

it('[mapper-3.6] a write that fails is tried again until it succeeds; only then it is observed', async () => {
  const driver = new TableDriver();
  driver.instead.set('write temperature', fail('busy'));
  const mapper = await withProperties(driver, { temperature: { desired: '25' } });
  await eventually(() => expect(driver.count('write temperature=25')).toBeGreaterThan(2));
  expect(here.edgeCore.reported('dev1', 'temperature')).toEqual({ reported: '0', observedDesired: '' });
  expect(mapper.health().devices).toMatchObject([{ state: 'unhealthy', failing: { temperature: 'write of temperature failed: busy' } }]);
  driver.instead.clear();
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')).toEqual({ reported: '25', observedDesired: '25' }));
  await eventually(() => expect(mapper.health().devices).toMatchObject([{ state: 'online', failing: {} }]));
});

it('[mapper-3.7] a driver without write leaves desired values alone', async () => {
  await here.edgeCore.start();
  const { device, model } = testDevice({ properties: { temperature: { desired: '25' } } });
  await here.edgeCore.add(device, model);
  const mapper = await here.start({ init: () => undefined, read: () => 20 });
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')).toEqual({ reported: '20', observedDesired: '' }));
  expect(mapper.health().devices[0]?.failing).toEqual({ temperature: 'property temperature cannot be written: the driver has no write' });
});

it('[mapper-3.8] a value that is none of the property\'s type is an error of that property', async () => {
  const driver = new TableDriver();
  driver.values.set('bad', 'warm').set('good', 1);
  const mapper = await withProperties(driver, { bad: {}, good: {} });
  await eventually(() => expect(here.edgeCore.statuses.length).toBeGreaterThan(3));
  expect(here.edgeCore.reported('dev1', 'bad')).toBeUndefined();
  expect(mapper.health().devices).toMatchObject([{ state: 'unhealthy', failing: { bad: '"warm" is no INT: expected a whole number of 64 bits' } }]);
});

it('[mapper-3.9] says once that a text has characters which twins refuse', async () => {
  const driver = new TableDriver();
  driver.values.set('label', 'two words');
  await withProperties(driver, { label: { type: 'STRING' } });
  await eventually(() => expect(here.edgeCore.statuses.length).toBeGreaterThan(2));
  expect(here.lines.filter((line) => line.includes('"two words" has characters that twins refuse'))).toHaveLength(1);
});

it('[mapper-4.1] a property that fails leaves the others alone, is tried with growing pauses, and makes the device unhealthy', async () => {
  const driver = new TableDriver();
  driver.instead.set('read bad', fail('no such register'));
  const mapper = await withProperties(driver, { bad: { collectCycle: 5 }, good: { collectCycle: 5 } }, { timing: { pauseMs: 100, longestPauseMs: 100_000 } }, { stateCycle: 60_000 });
  await eventually(() => expect(driver.count('read good')).toBeGreaterThan(40));
  expect(driver.count('read bad')).toBeLessThan(20);
  expect(here.edgeCore.state('dev1')).toBe('unhealthy');
  expect(mapper.health().devices).toMatchObject([{ failing: { bad: 'read of bad failed: no such register' } }]);
  expect(here.lines.filter((line) => line.includes('no such register'))).toHaveLength(1);
});

it('[mapper-4.2] a device of which nothing can be read is offline; its driver is started again until it is back, and desired values are written anew', async () => {
  const driver = new TableDriver();
  await withProperties(driver, { temperature: { desired: '25' }, other: {} }, {}, { stateCycle: 60_000 });
  await eventually(() => expect(here.edgeCore.state('dev1')).toBe('online'));
  for (const name of ['temperature', 'other']) driver.instead.set(`read ${name}`, fail('connection reset'));
  driver.instead.set('init', fail('connection refused'));
  await eventually(() => expect(here.edgeCore.state('dev1')).toBe('offline'));
  await eventually(() => expect(driver.count('init')).toBeGreaterThan(4));
  expect(driver.stopped).toBe(1);
  // A device that lost its power.
  driver.values.clear();
  driver.instead.clear();
  here.edgeCore.statuses.length = 0;
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')).toEqual({ reported: '25', observedDesired: '25' }));
  await eventually(() => expect(here.edgeCore.state('dev1')).toBe('online'));
  // Offline stayed offline in between: starting a driver is not success.
  expect(here.edgeCore.states.map(({ state }) => state)).toEqual(['online', expect.stringMatching(/unhealthy|offline/), ...(here.edgeCore.states.length === 4 ? ['offline'] : []), 'online']);
});

it('[mapper-4.3] a driver that hangs loses its time, not that of other devices; what it gives too late is closed', async () => {
  await here.edgeCore.start();
  const driver = new TableDriver();
  driver.instead.set('read of default/hangs', () => new Promise(() => undefined));
  for (const name of ['hangs', 'works']) {
    const { device, model } = testDevice({ name, stateCycle: 60_000, properties: { temperature: {} } });
    await here.edgeCore.add(device, model);
  }
  const mapper = await here.start(driver, { timing: { callMs: 50 } });
  await eventually(() => expect(here.edgeCore.state('hangs')).toBe('offline'));
  expect(here.edgeCore.state('works')).toBe('online');
  expect(here.edgeCore.statuses.every(({ deviceName }) => deviceName === 'works')).toBe(true);
  expect(mapper.health().devices.find(({ id }) => id === 'default/hangs')?.error).toBe('read of temperature did not end within 50 ms');
});

it('[mapper-4.4] a start that is over too late is stopped again', async () => {
  const driver = new TableDriver();
  let release = (): void => undefined;
  driver.instead.set('init', () => new Promise<void>((resolve) => (release = resolve)));
  await withProperties(driver, { temperature: {} }, { timing: { initMs: 50, pauseMs: 100_000, longestPauseMs: 100_000 } });
  await eventually(() => expect(here.lines.join()).toContain('init did not end within 50 ms'));
  release();
  await eventually(() => expect(driver.stopped).toBe(1));
});

it('[mapper-4.5] a driver that says the device is away is started again at once', async () => {
  const { MapperError, MapperErrors } = await import('../src/index.js');
  const driver = new TableDriver();
  await withProperties(driver, { a: {}, b: {} }, { timing: { pauseMs: 60_000, longestPauseMs: 60_000 } });
  await eventually(() => expect(driver.count('read b')).toBeGreaterThan(1));
  let thrown = 0;
  driver.instead.set('read a', () => {
    if (thrown++ === 0) throw new MapperError(MapperErrors.deviceAway, 'unplugged');
  });
  await eventually(() => expect(driver.opened).toBe(2));
  expect(thrown).toBeLessThan(3);
});

it('[mapper-4.6] a driver that knows the state tells it; one that fails to tell it is unhealthy', async () => {
  await here.edgeCore.start();
  const { device, model } = testDevice({ stateCycle: 20, properties: { temperature: {} } });
  await here.edgeCore.add(device, model);
  let state: () => DeviceState = () => 'ok';
  await here.start({ init: () => undefined, read: () => 1, state: () => state() });
  await eventually(() => expect(here.edgeCore.states.length).toBeGreaterThan(3));
  expect(new Set(here.edgeCore.states.map((report) => report.state))).toEqual(new Set(['ok']));
  state = () => 'offline';
  await eventually(() => expect(here.edgeCore.state('dev1')).toBe('offline'));
  state = fail('no idea');
  await eventually(() => expect(here.edgeCore.state('dev1')).toBe('unhealthy'));
});

it('[mapper-4.7] states are reported only when the manifest asks for it', async () => {
  const driver = new TableDriver();
  const mapper = await withProperties(driver, { temperature: {} });
  await eventually(() => expect(driver.count('read temperature')).toBeGreaterThan(5));
  expect(here.edgeCore.states).toEqual([]);
  expect(mapper.health().devices).toMatchObject([{ state: 'online' }]);
});

it('[mapper-5.1] while EdgeCore is away the latest value of each property is kept, no more, and said when it is back', async () => {
  const driver = new TableDriver();
  const mapper = await withProperties(driver, { a: { collectCycle: 5 }, b: { collectCycle: 5 } }, {}, { stateCycle: 10 });
  await eventually(() => expect(here.edgeCore.statuses.length).toBeGreaterThan(1));
  await here.edgeCore.stop();
  here.edgeCore.statuses.length = 0;
  const reads = driver.count('read a');
  for (let value = 1; value <= 50; value += 1) {
    driver.values.set('a', value).set('b', -value);
    await eventually(() => expect(driver.count('read b')).toBeGreaterThan(reads + value));
  }
  expect(mapper.health().waitingReports).toBeLessThanOrEqual(3);
  await here.edgeCore.start();
  await eventually(() => expect(here.edgeCore.statuses.length).toBeGreaterThan(0));
  expect(here.edgeCore.statuses.flatMap(({ reportedDevice }) => reportedDevice?.twins.map(({ reported }) => reported?.value)).every((value) => value === '50' || value === '-50')).toBe(true);
});

it('[mapper-5.2] an EdgeCore that says no is asked again with growing pauses, and told the newest', async () => {
  const driver = new TableDriver();
  driver.values.set('temperature', 1);
  await withProperties(driver, { temperature: { collectCycle: 5 } });
  await eventually(() => expect(here.edgeCore.statuses.length).toBeGreaterThan(1));
  // What Go's EdgeCore says beyond one call a second.
  here.edgeCore.refuse = 'fail to report device status because of too many request: dev1';
  await eventually(() => expect(here.lines.join('\n')).toContain('too many request'));
  driver.values.set('temperature', 2);
  here.edgeCore.statuses.length = 0;
  await eventually(() => expect(driver.count('read temperature')).toBeGreaterThan(20));
  here.edgeCore.refuse = undefined;
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')?.reported).toBe('2'));
  await eventually(() => expect(here.lines.join('\n')).toContain('reports of device default/dev1 reach EdgeCore again'));
  expect(here.lines.filter((line) => line.includes('too many request'))).toHaveLength(1);
});

it('[mapper-5.3] a value that EdgeCore refuses is told once and dropped: other values keep their pace, the state is reported', async () => {
  const driver = new TableDriver();
  here.edgeCore.badProperties.add('bad');
  await withProperties(driver, { bad: { collectCycle: 5 }, good: { collectCycle: 5 } }, { timing: { pauseMs: 600_000, longestPauseMs: 600_000 } }, { stateCycle: 10 });
  await eventually(() => expect(here.edgeCore.state('dev1')).toBe('online'));
  await eventually(() => expect(here.edgeCore.statuses.length).toBeGreaterThan(10));
  await eventually(() => expect(here.edgeCore.states.length).toBeGreaterThan(5));
  expect(here.edgeCore.reported('dev1', 'bad')).toBeUndefined();
  expect(here.lines.filter((line) => line.includes('EdgeCore refuses a report of device default/dev1'))).toHaveLength(1);
  expect(here.lines.join('\n')).not.toContain('latest values are kept');
});
