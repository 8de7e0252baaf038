import { join } from 'node:path';
import { freePorts } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { order } from '../../src/control/control-client.js';
import type { SwapRequest } from '../../src/control/control-protocol.js';
import type { ModuleRow, SwapReport } from '../../src/control/module-orders.js';
import { eventually } from '../support/agent.js';
import { installModules } from '../support/built-module.js';
import { mqttClient } from '../support/mqtt.js';
import { runsPerPod } from '../support/pods.js';
import { openScene, sleeper, type Scene } from '../support/scene.js';

const ROLES = ['metamanager', 'metaserver', 'eventbus', 'servicebus', 'devicetwin', 'edged', 'edgestream', 'taskmanager', 'testmanager', 'edgehub'] as const;
const VERSION = '0.1.999';

let scene: Scene;
let folders: ReadonlyMap<string, string>;

beforeAll(async () => {
  const ports = await freePorts(3);
  scene = await openScene({ edit: (text) => withAll(text, ports) });
  const places = await installModules(join(scene.folder, 'modules'), ROLES.map((role) => ({ role, version: VERSION })));
  folders = new Map(ROLES.map((role, index) => [role, places[index] ?? '']));
  await scene.ready(0, 60_000);
  await scene.cloud.api.resource('v1', 'pods').create(sleeper('steady') as never);
  await eventually(() => scene.pod('steady')?.status?.phase === 'Running', 60_000, () => `the pod does not run:\n${scene.agent.log.slice(-3000)}`);
}, 300_000);
afterAll(() => scene?.[Symbol.asyncDispose](), 120_000);

/** Every module that can run beside those of other tests: the mesh would take the machine's own network. */
function withAll(text: string, ports: number): string {
  const config = parse(text) as { modules: Record<string, Record<string, unknown>>; edge: Record<string, unknown> };
  config.modules['metaManager'] = { metaServer: { enable: true, server: `127.0.0.1:${ports}` } };
  config.modules['serviceBus'] = { enable: true, port: ports + 1 };
  config.modules['dbTest'] = { enable: true };
  config.modules['edgeStream'] = { enable: true, server: '127.0.0.1:1' };
  config.edge['testManager'] = { port: ports + 2 };
  config.edge['upgrade'] = { settleSeconds: 0 };
  return stringify(config);
}

const socket = (): string => join(scene.folder, 'node', 'agent', 'edgecore.sock');
const signal = AbortSignal.timeout(600_000);
const list = async (): Promise<readonly ModuleRow[]> => (await order(socket(), { order: 'list' }, () => undefined, signal)) as ModuleRow[];
const swap = async (role: string, entry?: SwapRequest['entry']): Promise<SwapReport> => (await order(socket(), { order: 'swap', role, entry }, () => undefined, signal)) as SwapReport;
const session = (): unknown => scene.cloud.hub.sessions[0]?.since;

describe('every built-in module of a running agent', { timeout: 300_000 }, () => {
  it.each(ROLES)('[cli-8.1] %s gives its role to a copy from another folder and takes it back: what it held is free, the node stays Ready', async (role) => {
    const before = session();
    const entry = { package: `@edge/${role}`, version: VERSION, folder: folders.get(role) ?? '' };
    const there = await swap(role, entry);
    expect(there, scene.agent.log.slice(-2000)).toMatchObject({ result: 'swapped', to: `@edge/${role}@${VERSION}`, leftBehind: [] });
    expect((await list()).find((row) => row.role === role)).toMatchObject({ phase: 'ready', version: VERSION, restarts: 0 });
    const back = await swap(role);
    expect(back, scene.agent.log.slice(-2000)).toMatchObject({ result: 'swapped', leftBehind: [] });
    if (role === 'edgehub') await scene.linked(60_000);
    else expect(session()).toBe(before);
    await scene.ready(Date.now(), 60_000);
  });

  it('[cli-8.2] all of them swapped, the agent works as before: new pods run, old ones were left alone, messages of devices arrive', async () => {
    for (const role of ROLES) {
      const report = await swap(role, { package: `@edge/${role}`, version: VERSION, folder: folders.get(role) ?? '' });
      expect(report, scene.agent.log.slice(-2000)).toMatchObject({ result: 'swapped' });
    }
    await scene.linked(60_000);
    await scene.cloud.api.resource('v1', 'pods').create(sleeper('later') as never);
    await eventually(() => scene.pod('later')?.status?.phase === 'Running', 60_000, () => `the new pod does not run:\n${scene.agent.log.slice(-3000)}`);
    await using client = await mqttClient(scene.mqttPort, ['$hw/events/#']);
    await client.publish('$hw/events/node/edge-e2e/membership/get', '{"event_id":"1"}');
    await client.next(({ topic }) => topic.endsWith('/membership/get/result'));
    expect([...runsPerPod(scene).values()]).toEqual([1, 1]);
    expect((await list()).filter(({ phase }) => phase !== 'ready').map(({ role }) => role)).toEqual(['edgemesh']);
  });
});
