import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '@edge/testing';
import Database from 'libsql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startAgent, temporaryFolder, type Agent } from '../support/agent.js';
import { mqttClient, type TestClient } from '../support/mqtt.js';

const run = promisify(execFile);

/** The agent alone, as upstream's edge integration suite has it: no cloud, its own broker, the test module. */
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let agent: Agent;
let mqtt: TestClient;
let port = 0;
let nodeApi = 0;

beforeAll(async () => {
  const first = await freePorts(4);
  [port, nodeApi] = [first + 1, first + 3];
  folder = await temporaryFolder();
  agent = await startAgent({
    folder: folder.path, node: 'edge-node', token: 'none.none.none', hubAddress: '127.0.0.1:1', httpsUrl: 'https://127.0.0.1:1', mqttPort: first, kubeletPort: first + 2, nodeApiPort: nodeApi,
    edit: (text) => `${text.replace(/\n {2}runtime:/, `\n  testManager:\n    port: ${port}\n  runtime:`).replace(/\nmodules:\n/, '\nmodules:\n  dbTest:\n    enable: true\n')}`,
  });
  await agent.logged('the test module is on');
  mqtt = await mqttClient(first, ['$hw/events/#'], { clientId: 'eventbus' });
}, 300_000);
afterAll(async () => {
  await mqtt?.[Symbol.asyncDispose]();
  await agent?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
}, 120_000);

async function curl(method: string, path: string, body?: object): Promise<string> {
  const data = body === undefined ? [] : ['-H', 'content-type: application/json', '-d', JSON.stringify(body)];
  return (await run('curl', ['--silent', '--fail', '--max-time', '60', '-X', method, ...data, `http://127.0.0.1:${port}${path}`])).stdout;
}

/** Rows by position, as the suite reads them. */
function rows(sql: string): unknown[][] {
  const database = new Database(join(folder.path, 'agent', 'edgecore.db'), { readonly: true } as never);
  try {
    return database.prepare(sql).raw().all() as unknown[][];
  } finally {
    database.close();
  }
}

const until = (fits: () => boolean | Promise<boolean>, what: string): Promise<void> => eventually(fits, 60_000, () => `${what}; the agent's log ends with\n${agent.log.slice(-2000)}`);

const DEVICE = {
  id: 'default/dev1', name: 'dev1', description: 'a thermometer', state: 'unknown',
  attributes: { Serial: { value: 'x1', optional: true, metadata: { type: 'string' } } },
  twin: {
    Temperature: {
      expected: { value: '25.25' }, actual: { value: '25.25' }, optional: true, metadata: { type: 'float' }, expected_version: { cloud: 1, edge: 1 }, actual_version: { cloud: 1, edge: 1 },
    },
  },
};

it('[test-module-1.1] a device that is added by curl is told on MQTT, and its rows stand by position without NULL', { timeout: 180_000 }, async () => {
  expect(await curl('PUT', '/devices', { added_devices: [DEVICE], removed_devices: null })).toBe('');
  await mqtt.next(({ topic }) => topic === '$hw/events/node/edge-node/membership/updated', 0, 60_000);
  await until(() => rows('SELECT * FROM device').length === 1, 'the device is not in the database');
  expect(rows('SELECT * FROM device')).toEqual([['default/dev1', 'dev1', 'a thermometer', 'unknown', '']]);
  await until(() => rows('SELECT * FROM device_twin').length === 1, 'the twin is not in the database');
  const [twin = []] = rows('SELECT * FROM device_twin');
  expect([twin.length, twin[1], twin[2], twin[4], twin[5]]).toEqual([13, 'default/dev1', 'Temperature', '25.25', '25.25']);
  const [attribute = []] = rows('SELECT * FROM device_attr');
  expect([attribute.length, attribute[1], attribute[2], attribute[4]]).toEqual([8, 'default/dev1', 'Serial', 'x1']);
  expect([...rows('SELECT * FROM device'), ...rows('SELECT * FROM device_attr'), twin].flat()).not.toContain(null);
});

it('[test-module-1.2] a state that is reported gets its result; publishing to topics with wildcards harms nobody', { timeout: 180_000 }, async () => {
  for (const topic of ['$hw/events/device/+/state/update', '$hw/events/upload/#']) await mqtt.publish(topic, '{"state":"online"}', 0);
  await mqtt.publish('$hw/events/device/default/dev1/state/update', '{"event_id":"e1","timestamp":0,"state":"online"}', 0);
  const { payload } = await mqtt.next(({ topic }) => topic === '$hw/events/device/default/dev1/state/update/result', 0, 60_000);
  expect(JSON.parse(payload)).toMatchObject({ device: { name: 'dev1', state: 'online' } });
  await until(() => rows('SELECT * FROM device')[0]?.[3] === 'online', 'the state is not in the database');
  expect(mqtt.raw.connected).toBe(true);
});

it('[test-module-1.3] secrets and config maps stand in table meta under upstream\'s keys, and go again', { timeout: 180_000 }, async () => {
  const secret = { metadata: { name: 's', uid: 'su' }, data: { a: 'YQ==' } };
  const map = { metadata: { name: 'c', uid: 'cu' }, data: { a: 'b' } };
  await curl('POST', '/secret', secret);
  await curl('POST', '/configmap', map);
  const keys = (): unknown[][] => rows('SELECT key, type FROM meta WHERE key LIKE \'fakeNamespace/%\' ORDER BY key');
  await until(() => keys().length === 2, 'two objects are not in the database');
  expect(keys()).toEqual([['fakeNamespace/configmap/cu', 'configmap'], ['fakeNamespace/secret/su', 'secret']]);
  expect(JSON.parse(String(rows('SELECT value FROM meta WHERE key = \'fakeNamespace/configmap/cu\'')[0]?.[0]))).toMatchObject(map);
  await curl('DELETE', '/secret', secret);
  await curl('DELETE', '/configmap', map);
  await until(() => keys().length === 0, 'the objects do not go');
});

it('[test-module-1.4] a pod that is posted stands in table meta and in the list of pods; the node\'s API answers without any cloud', { timeout: 180_000 }, async () => {
  const pod = {
    apiVersion: 'v1', kind: 'Pod', metadata: { name: 'posted', namespace: 'default', uid: 'a0000000-0000-4000-8000-000000000001' },
    spec: { nodeName: 'edge-node', terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'busybox', command: ['sleep', '600'] }] },
  };
  await curl('POST', '/pods', pod);
  await until(() => rows('SELECT key FROM meta WHERE key = \'default/pod/posted\'').length === 1, 'the pod is not in the database');
  await until(async () => (JSON.parse(await curl('GET', '/pods')) as { items: { metadata: { name: string } }[] }).items.some(({ metadata }) => metadata.name === 'posted'), 'the pod is not in the list');
  const status = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${nodeApi}${path}`)).status;
  expect(await status('/api/v1/namespaces/default/pods')).toBe(200);
  expect(await status('/api/v1/namespaces/default/pods/not-there')).toBe(404);
  await curl('DELETE', '/pods', { ...pod, metadata: { ...pod.metadata, deletionTimestamp: new Date().toISOString() } });
  await until(async () => (JSON.parse(await curl('GET', '/pods')) as { items: unknown[] | null }).items?.length !== 1, 'the pod does not go');
});

it('[test-module-1.5] the process is called edgecore: pgrep and pkill find it, as the suite and keadm do', async () => {
  expect((await run('pgrep', ['-x', 'edgecore'])).stdout.split('\n')).toContain(String(agent.pid));
});
