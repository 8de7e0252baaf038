import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DeviceMapperServiceDefinition } from '@edge/protocol/dmi';
import { testDevice } from '../src/testing/index.js';
import { bench, eventually, TableDriver } from './support.js';

const { methods } = DeviceMapperServiceDefinition;
const here = bench();

it('[mapper-1.1] registers with its data, as mappers of upstream do, and gets devices and models', async () => {
  await here.edgeCore.start();
  const { device, model } = testDevice({ properties: { temperature: {} } });
  await here.edgeCore.add(device, model);
  const driver = new TableDriver();
  driver.values.set('temperature', 23);
  const mapper = await here.start(driver, { version: 'v1.13.0' });
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')).toEqual({ reported: '23', observedDesired: '' }));
  expect(here.edgeCore.registrations).toEqual([{ name: 'test-mapper', version: 'v1.13.0', apiVersion: 'v1.0.0', protocol: 'test', address: Buffer.from(here.socketPath), state: 'ok' }]);
  expect(mapper.health()).toMatchObject({ name: 'test-mapper', registered: true, devices: [{ id: 'default/dev1', state: 'online' }] });
});

it('[mapper-1.2] serves before it registers: EdgeCore can call at once', async () => {
  let answered = '';
  const seen = here.edgeCore.registrations;
  const push = seen.push.bind(seen);
  const { device, model } = testDevice({ properties: { temperature: {} } });
  // While the registration is being answered.
  seen.push = (...infos) => {
    const length = push(...infos);
    void here.edgeCore.add(device, model).then(() => (answered = 'yes'), (error: unknown) => (answered = String(error)));
    return length;
  };
  await here.edgeCore.start();
  await here.start(new TableDriver());
  await eventually(() => expect(answered).toBe('yes'));
});

it('[mapper-1.3] may be started before EdgeCore', async () => {
  const { device, model } = testDevice({ properties: { temperature: {} } });
  await here.edgeCore.add(device, model);
  const mapper = await here.start(new TableDriver());
  await eventually(() => expect(here.lines.join()).toContain(`EdgeCore does not answer at ${here.edgeCore.socket}`));
  expect(mapper.health().registered).toBe(false);
  await here.edgeCore.start();
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')).toBeDefined());
});

it('[mapper-1.4] registers again after EdgeCore was restarted, says everything again and keeps its devices open', async () => {
  await here.edgeCore.start();
  const { device, model } = testDevice({ stateCycle: 60_000, properties: { temperature: {} } });
  await here.edgeCore.add(device, model);
  const driver = new TableDriver();
  await here.start(driver, { report: 'change' });
  for (let restart = 0; restart < 5; restart += 1) {
    await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')?.reported).toBe(String(restart)));
    await eventually(() => expect(here.edgeCore.state('dev1')).toBe('online'));
    await here.edgeCore.stop();
    driver.values.set('temperature', restart + 1);
    here.edgeCore.statuses.length = 0;
    here.edgeCore.states.length = 0;
    await here.edgeCore.start();
  }
  await eventually(() => expect(here.edgeCore.registrations.length).toBe(6));
  expect(driver.calls.filter((call) => call.startsWith('init') || call.startsWith('stop'))).toEqual(['init default/dev1']);
});

it('[mapper-1.5] a mapper that was killed leaves a socket behind, which the next one takes; from one that runs nothing is taken', async () => {
  const other = spawn(process.execPath, ['-e', "require('net').createServer().listen(process.argv[1], () => console.log('up'))", here.socketPath], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(other.stdout, 'data');
  await expect(here.start(new TableDriver())).rejects.toMatchObject({ code: 'mapper.socket-in-use', message: expect.stringContaining(here.socketPath) as string });
  const gone = once(other, 'exit');
  other.kill('SIGKILL');
  await gone;
  expect(lstatSync(here.socketPath).isSocket()).toBe(true);
  await here.edgeCore.start();
  await here.start(new TableDriver());
  await eventually(() => expect(here.edgeCore.registrations).toHaveLength(1));
});

it('[mapper-1.6] never replaces a file that is no socket', async () => {
  writeFileSync(here.socketPath, 'data of somebody');
  await expect(here.start(new TableDriver())).rejects.toMatchObject({ code: 'mapper.bad-socket', message: expect.stringContaining('is no socket') as string });
});

it('[mapper-1.7] registers now and then though nothing was lost, which brings what EdgeCore could not tell', async () => {
  await here.edgeCore.start();
  const driver = new TableDriver();
  await here.start(driver, { timing: { registerMs: 50 } });
  await eventually(() => expect(here.edgeCore.registrations.length).toBeGreaterThan(2));
  const { device, model } = testDevice({ properties: { temperature: {} } });
  here.edgeCore.models.set('default/model1', model);
  here.edgeCore.devices.set('default/dev1', device);
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')).toBeDefined());
  const { length } = here.edgeCore.registrations;
  await eventually(() => expect(here.edgeCore.registrations.length).toBeGreaterThan(length + 1));
  expect(driver.count('init')).toBe(1);
});

it('[mapper-1.8] a device that is missing in two answers in a row is removed, in one it is kept', async () => {
  await here.edgeCore.start();
  const { device, model } = testDevice({ properties: { temperature: {} } });
  await here.edgeCore.add(device, model);
  const driver = new TableDriver();
  const mapper = await here.start(driver, { timing: { registerMs: 50 } });
  await eventually(() => expect(driver.opened).toBe(1));
  // Once, as an EdgeCore that has not loaded its devices yet.
  const { registrations } = here.edgeCore;
  const next = registrations.length + 1;
  let leftOut = 0;
  here.edgeCore.leavesOut = () => registrations.length === next && (leftOut += 1) > 0;
  await eventually(() => expect(registrations.length).toBeGreaterThan(next + 2));
  expect(leftOut).toBe(1);
  expect(mapper.health().devices).toHaveLength(1);
  expect(driver.stopped).toBe(0);
  here.edgeCore.devices.clear();
  await eventually(() => expect(mapper.health().devices).toEqual([]));
  await eventually(() => expect(driver.stopped).toBe(1));
});

it('[mapper-1.9] stops cleanly: drivers are stopped, the socket is gone, EdgeCore is left', async () => {
  await here.edgeCore.start();
  const { device, model } = testDevice({ properties: { temperature: {} } });
  await here.edgeCore.add(device, model);
  const driver = new TableDriver();
  const mapper = await here.start(driver);
  await eventually(() => expect(here.edgeCore.reported('dev1', 'temperature')).toBeDefined());
  await Promise.all([mapper.stop(), mapper.stop()]);
  expect(driver.stopped).toBe(1);
  expect(existsSync(here.socketPath)).toBe(false);
  const { length } = driver.calls;
  await expect(here.edgeCore.call(methods.getDevice, { deviceName: 'dev1', deviceNamespace: 'default' })).rejects.toThrow();
  expect(driver.calls).toHaveLength(length);
});

it('[mapper-1.10] stops while EdgeCore is away and a driver hangs', async () => {
  await here.edgeCore.start();
  const { device, model } = testDevice({ properties: { temperature: {} } });
  await here.edgeCore.add(device, model);
  const driver = new TableDriver();
  driver.instead.set('read temperature', () => new Promise(() => undefined));
  driver.instead.set('stop', () => new Promise(() => undefined));
  const mapper = await here.start(driver, { timing: { callMs: 60_000, initMs: 100 } });
  await eventually(() => expect(driver.count('read temperature')).toBe(1));
  await here.edgeCore.stop();
  await mapper.stop();
  expect(driver.stopped).toBe(1);
});

it('[mapper-1.11] says every option that is wrong at once', async () => {
  await expect(here.start(new TableDriver(), { name: '', protocol: '', socketPath: `/tmp/${'x'.repeat(120)}`, http: { port: 70_000 } })).rejects.toMatchObject({
    code: 'mapper.bad-options',
    message: expect.stringMatching(/name is "".*protocol is missing.*longer than the 107 bytes.*port is 70000/) as string,
  });
});

it('[mapper-1.12] an EdgeCore that refuses to register once more is not taken for one that is gone', async () => {
  await here.edgeCore.start();
  const { device, model } = testDevice({ properties: { temperature: { collectCycle: 5 } } });
  await here.edgeCore.add(device, model);
  const mapper = await here.start(new TableDriver(), { timing: { registerMs: 50 } });
  await eventually(() => expect(here.edgeCore.statuses.length).toBeGreaterThan(0));
  here.edgeCore.refuse = 'fail to register mapper because of too many request: test-mapper';
  await eventually(() => expect(here.lines.join('\n')).toContain('EdgeCore says: fail to register mapper'));
  expect(mapper.health().registered).toBe(true);
  here.edgeCore.refuse = undefined;
  const { length } = here.edgeCore.statuses;
  await eventually(() => expect(here.edgeCore.statuses.length).toBeGreaterThan(length));
  expect(here.lines.join('\n')).not.toContain('EdgeCore is gone');
});

it('[mapper-1.14] its socket is for the owner and the group alone', async () => {
  await here.edgeCore.start();
  await here.start(new TableDriver());
  expect(lstatSync(here.socketPath).mode & 0o777).toBe(0o660);
});
