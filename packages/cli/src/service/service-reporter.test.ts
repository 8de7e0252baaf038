import { createCell, silentLogger, type LinkStatus, type ModuleHealth, type ModulePhase } from '@edge/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openNotifySocket, type NotifySocket } from '../../test/support/notify-socket.js';
import { readNotifySettings } from './notify-settings.js';
import { ServiceReporter } from './service-reporter.js';
import { serviceStatus } from './service-status.js';
import { systemdNotify } from './systemd-notify.js';

const UP: LinkStatus = { connected: true, session: 1, since: 0 };
const DOWN: LinkStatus = { connected: false, session: 1, since: 0, reason: 'connect ECONNREFUSED' };
const LIMIT_MS = 60_000;

function module(phase: ModulePhase, restarts = 0, lastError?: string): ModuleHealth {
  return { phase, restarts, since: 0, ...(lastError === undefined ? {} : { lastError }) };
}

describe('status for the service manager', () => {
  it.each([
    [{}, UP, false, ''],
    [{ edged: module('ready'), edgehub: module('starting') }, UP, false, 'edgehub starts'],
    [{ edged: module('waiting'), edgehub: module('ready') }, UP, false, 'edged waits for others'],
    [{ edged: module('ready'), edgehub: module('ready') }, UP, true, 'all modules are ready, the cloud is connected'],
    [{ edged: module('ready'), job: module('done') }, UP, true, 'all modules are ready, the cloud is connected'],
    [{ edged: module('ready') }, DOWN, true, 'the cloud is not reached: connect ECONNREFUSED'],
    [{ eventbus: module('restarting', 0, 'port 1883\nis taken') }, UP, true, 'eventbus has crashed and is started again (port 1883 is taken)'],
    [{ eventbus: module('starting', 3, 'port 1883 is taken') }, UP, true, 'eventbus starts (port 1883 is taken)'],
    [{ eventbus: module('failed', 0, 'no') }, UP, true, 'eventbus has failed and stays down (no)'],
  ] as const)('[cli-20.1] %j, %j: started %j, "%s"', (modules, link, started, text) => {
    const status = serviceStatus(modules, link);
    expect(status.started).toBe(started);
    if (text !== '') expect(status.text).toBe(text);
  });
});

it('[roles-3.1] a role that is not played as the role file wants stands in the line, and does not keep the agent from being ready', () => {
  const unfollowed = [{ what: 'role eventbus', why: '@acme/bus is not installed; the built-in module plays eventbus' }];
  expect(serviceStatus({ eventbus: module('ready') }, UP, unfollowed)).toEqual({ started: true, text: 'role eventbus: @acme/bus is not installed; the built-in module plays eventbus' });
});

describe('environment of a service', () => {
  it.each([
    [{}, undefined],
    [{ NOTIFY_SOCKET: '' }, undefined],
    [{ NOTIFY_SOCKET: '/run/x' }, { socket: '/run/x', watchdogMs: undefined }],
    [{ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '120000000' }, { socket: '@x', watchdogMs: 120_000 }],
    [{ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '120000000', WATCHDOG_PID: '7' }, { socket: '@x', watchdogMs: 120_000 }],
    [{ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '120000000', WATCHDOG_PID: '8' }, { socket: '@x', watchdogMs: undefined }],
    [{ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: 'soon' }, { socket: '@x', watchdogMs: undefined }],
  ])('[cli-20.2] %j gives %j', (env, settings) => {
    expect(readNotifySettings(env, 7)).toEqual(settings);
  });
});

describe('signs to a real datagram socket', () => {
  let socket: NotifySocket;

  beforeAll(async () => {
    socket = await openNotifySocket();
  }, LIMIT_MS);
  afterAll(() => socket[Symbol.asyncDispose]());

  it('[cli-20.3] READY once all modules have started, signs of life only while lanes move, what is wrong in words, STOPPING', { timeout: 2 * LIMIT_MS }, async () => {
    const { received } = socket;
    const since = (from: number, line: string): Promise<void> => socket.until(line, from);
    const from = received.length;
    const health = createCell<Readonly<Record<string, ModuleHealth>>>({ edged: module('starting') });
    const link = createCell<LinkStatus>(UP);
    let hanging: string[] = [];
    const stop = new AbortController();
    const reporter = new ServiceReporter({ health, link, unfollowed: () => [], heldUpLanes: () => hanging, notify: systemdNotify(socket.path), watchdogMs: 100, log: silentLogger });
    const ran = reporter.run(stop.signal);
    health.set({ edged: module('ready') });
    await since(from, 'READY=1 | STATUS=all modules are ready, the cloud is connected');
    expect(received[from]).toContain('READY=1');
    await since(from, 'WATCHDOG=1');
    link.set(DOWN);
    await since(from, 'WATCHDOG=1 | STATUS=the cloud is not reached: connect ECONNREFUSED');
    // From here on nothing is a sign of life, while words still come.
    hanging = ['edged/pods'];
    link.set(UP);
    await since(from, 'STATUS=all modules are ready, the cloud is connected');
    const quiet = received.length;
    link.set(DOWN);
    await since(quiet, 'STATUS=the cloud is not reached: connect ECONNREFUSED');
    expect(received.slice(quiet).filter((line) => line.includes('WATCHDOG'))).toEqual([]);
    hanging = [];
    await since(quiet, 'WATCHDOG=1');
    stop.abort();
    await ran;
    await since(quiet, 'STOPPING=1 | STATUS=stopping');
    expect(received.slice(from).filter((line) => line.includes('READY=1'))).toHaveLength(1);
  });

  it('[cli-20.4] a socket that is gone ends nothing, and says so', async () => {
    await expect(systemdNotify(`${socket.path}-of-nobody`)(['READY=1'])).rejects.toMatchObject({ code: 'cli.service' });
    await expect(systemdNotify(socket.path, '/no/such/program')(['READY=1'])).rejects.toMatchObject({ code: 'cli.service' });
  });
});
