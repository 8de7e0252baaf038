import { createHash } from 'node:crypto';
import type { KubeObject } from '@edge/kubeapi';
import type { Message } from '@edge/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Application } from '../src/dynamic-controller/application.js';
import { joinReady, openCloud, type CloudFixture } from './cloud-fixture.js';
import type { EdgeClient } from './edge-client.js';
import { readRecording } from './recorded.js';

interface Asked {
  key: string;
  verb: string;
  option?: unknown;
  body?: unknown;
  subresource?: string;
}

const base64 = (value: unknown): string | null => (value === undefined ? null : Buffer.from(JSON.stringify(value)).toString('base64'));
const bodyOf = (answer: Application): any => JSON.parse(Buffer.from(answer.RespBody ?? 'bnVsbA==', 'base64').toString()); // eslint-disable-line @typescript-eslint/no-explicit-any

function application(node: string, { key, verb, option = {}, body, subresource = '' }: Asked): Application {
  const given = { Key: key, Verb: verb, Nodename: node, Option: base64(option), ReqBody: base64(body), Subresource: subresource };
  return {
    ID: createHash('sha256').update(JSON.stringify(given)).digest('hex'), ...given,
    RespBody: null, Status: 'InApplying', Reason: '', Error: { ErrStatus: { metadata: {} } }, Timestamp: '0001-01-01T00:00:00Z',
  };
}

/** Sends content as a node's local API does and waits for the answer. */
async function send(client: EdgeClient, content: unknown, resource = 'null'): Promise<Message> {
  const { header } = client.send({ source: 'metaserver', group: 'dynamiccontroller', operation: 'null', resource, content });
  return client.waitFor((message) => message.header.parentId === header.id);
}

const ask = async (client: EdgeClient, asked: Asked): Promise<Application> => (await send(client, application(client.node, asked))).content as Application;

const pushesOf = (client: EdgeClient, resource: string): string[] =>
  client.received.filter(({ route }) => route.source === 'dynamiccontroller' && route.resource === resource).map(({ route }) => route.operation);

describe('what the local API of a node asks of the cloud', () => {
  let fixture: CloudFixture;
  let client: EdgeClient;

  beforeAll(async () => {
    fixture = await openCloud({ resyncIntervalMs: 100 });
    client = await joinReady(fixture, 'edge-go');
  }, 30_000);
  afterAll(async () => fixture[Symbol.asyncDispose]());

  const configMap = (name: string, data: Record<string, string> = {}): KubeObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data }) as never;
  const configMaps = () => fixture.cloud.api.resource('v1', 'configmaps');

  it('[minicloud-13.1] answers the recorded requests in CloudCore\'s form: header, route, members of the application and their order', async () => {
    const recording = readRecording('07-metaserver');
    const asked = recording.filter(({ toEdge }) => !toEdge).map(({ message }) => message);
    for (const question of asked) {
      const theirs = recording.find(({ message }) => message.header.parentId === question.header.id)!.message;
      const ours = await send(client, question.content);
      expect(Object.keys(ours.header).sort()).toEqual(Object.keys(theirs.header).sort());
      expect(ours.route).toEqual(theirs.route);
      // All but the body is the same text, byte for byte.
      const frame = (message: Message): string => JSON.stringify({ ...(message.content as Application), RespBody: '' });
      expect(frame(ours)).toBe(frame(theirs));
      const [mine, recorded] = [bodyOf(ours.content as Application), bodyOf(theirs.content as Application)];
      expect({ kind: mine.kind, apiVersion: mine.apiVersion }).toEqual({ kind: recorded.kind, apiVersion: recorded.apiVersion });
      expect(Object.keys(mine).sort()).toEqual(Object.keys(recorded).sort());
      expect((mine.items ?? []).every((item: KubeObject) => item.kind === recorded.items[0].kind && item.apiVersion === 'v1')).toBe(true);
    }
    expect(asked).toHaveLength(3);
    expect(client.closed).toBeUndefined();
  });

  it('[minicloud-13.2] creates, reads, replaces, patches and deletes, and what it answers is the API\'s own object', async () => {
    const key = '/core/v1/configmaps/default/c1';
    const made = await ask(client, { key: '/core/v1/configmaps/default/null', verb: 'create', body: configMap('c1', { a: '1' }) });
    expect(made).toMatchObject({ Status: 'Approved', Reason: '', Error: { ErrStatus: { metadata: {} } } });
    expect(bodyOf(made)).toEqual(JSON.parse(JSON.stringify(configMaps().find('c1', 'default'))));
    expect(bodyOf(await ask(client, { key, verb: 'get' })).data).toEqual({ a: '1' });
    expect(bodyOf(await ask(client, { key, verb: 'update', body: configMap('c1', { a: '2' }) })).data).toEqual({ a: '2' });
    const patch = { Name: 'c1', PatchType: 'application/merge-patch+json', Data: base64({ data: { b: '3' } }), Options: { kind: 'PatchOptions', apiVersion: 'meta.k8s.io/v1' }, Subresources: [''] };
    expect(bodyOf(await ask(client, { key, verb: 'patch', option: patch })).data).toEqual({ a: '2', b: '3' });
    const dry = await ask(client, { key: '/core/v1/configmaps/default/null', verb: 'create', option: { dryRun: ['All'] }, body: configMap('c2') });
    expect(dry.Status).toBe('Approved');
    expect(configMaps().find('c2', 'default')).toBeUndefined();
    expect(bodyOf(await ask(client, { key: '/core/v1/configmaps/default/null', verb: 'list', option: { fieldSelector: 'metadata.name=c1' } })).items).toHaveLength(1);
    const page = bodyOf(await ask(client, { key: '/core/v1/configmaps/null/null', verb: 'list', option: { limit: 1 } }));
    expect(page.items).toHaveLength(1);
    expect(page.metadata.continue).toMatch(/./);
    const end = await ask(client, { key, verb: 'delete' });
    expect(end).toMatchObject({ Status: 'Approved', RespBody: null });
    expect(configMaps().find('c1', 'default')).toBeUndefined();
  });

  it('[minicloud-13.3] subresources: status, scale and tokens', async () => {
    const template = { metadata: { labels: { app: 'w' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await fixture.cloud.api.resource('apps/v1', 'deployments').create({ metadata: { name: 'w', namespace: 'default' }, spec: { replicas: 0, selector: { matchLabels: { app: 'w' } }, template } });
    const key = '/apps/v1/deployments/default/w';
    const scale = bodyOf(await ask(client, { key, verb: 'get', subresource: 'scale' }));
    expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 0 } });
    const option = { Name: 'w', PatchType: 'application/merge-patch+json', Data: base64({ spec: { replicas: 1 } }), Options: {}, Subresources: ['scale'] };
    expect(bodyOf(await ask(client, { key, verb: 'patch', option, subresource: 'scale' }))).toMatchObject({ kind: 'Scale', spec: { replicas: 1 } });
    const node = bodyOf(await ask(client, { key: '/core/v1/nodes/null/edge-go', verb: 'get' }));
    const written = await ask(client, { key: '/core/v1/nodes/null/edge-go', verb: 'updatestatus', body: { ...node, status: { ...node.status, phase: 'Running' } }, subresource: 'status' });
    expect(bodyOf(written).status.phase).toBe('Running');
    const token = await ask(client, { key: '/core/v1/serviceaccounts/default/default', verb: 'create', body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: { name: 'default' }, spec: { expirationSeconds: 600 } }, subresource: 'token' });
    expect(bodyOf(token)).toMatchObject({ kind: 'TokenRequest', status: { token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) } });
  });

  it('[minicloud-13.4] refusals: the API\'s Status; of a list, and of what cannot be read, the words alone', async () => {
    const missing = await ask(client, { key: '/core/v1/configmaps/default/none', verb: 'get' });
    expect(missing).toMatchObject({ Status: 'Rejected', RespBody: null, Reason: '' });
    expect(missing.Error.ErrStatus).toEqual({ metadata: {}, status: 'Failure', message: 'configmaps "none" not found', reason: 'NotFound', details: { name: 'none', kind: 'configmaps' }, code: 404 });
    const again = await ask(client, { key: '/core/v1/namespaces/null/null', verb: 'create', body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } } });
    expect(again.Error.ErrStatus).toMatchObject({ reason: 'AlreadyExists', code: 409 });
    const list = await ask(client, { key: '/core/v1/nothings/null/null', verb: 'list' });
    expect(list).toMatchObject({ Status: 'Rejected', Reason: 'get current list error: the server could not find the requested resource', Error: { ErrStatus: { metadata: {} } } });
    expect((await ask(client, { key: '/core/v1/pods/default/p', verb: 'connect' })).Reason).toBe('unsupported Application Verb type :connect');
    expect((await ask(client, { key: 'pods', verb: 'get' })).Reason).toBe('the key "pods" names no resource');
    expect((await ask(client, { key: '/core/v1/secrets/../null', verb: 'list' })).Reason).toContain('".." is no name');
    for (const key of ['/apis/..', '/api/v1?x=1']) expect((await ask(client, { key, verb: 'get' })).Reason).toContain('names no resource');
    expect((await ask(client, { key: '/core/v1/configmaps/default/null', verb: 'create', body: {} })).Error.ErrStatus).toMatchObject({ code: 422 });
    expect((await ask(client, { key: '/apis/none.example/v1', verb: 'get' })).Error.ErrStatus).toMatchObject({ code: 404 });
    expect((await ask(client, { key: '/core/v1/nothings/null/null', verb: 'watch' })).Error.ErrStatus).toMatchObject({ code: 404 });
    const broken = { ...application('edge-go', { key: '/core/v1/pods/default/p', verb: 'get' }), Option: 'e2' };
    expect(((await send(client, broken)).content as Application).Reason).toMatch(/^failed to parse Option bytes/);
    // A key cannot leave the API's paths.
    expect((await ask(client, { key: '/core/v1/configmaps/default/..%2f..%2f..', verb: 'get' })).Error.ErrStatus).toMatchObject({ code: 404 });
  });

  it('[minicloud-13.5] passes discovery, version, health and OpenAPI on as they are', async () => {
    for (const key of ['/api', '/apis', '/api/v1', '/apis/apps', '/apis/apps/v1', '/openapi/v2', '/openapi/v3', '/version']) expect(bodyOf(await ask(client, { key, verb: 'get' }))).toBeTypeOf('object');
    const health = await ask(client, { key: '/readyz', verb: 'get' });
    expect(Buffer.from(health.RespBody ?? '', 'base64').toString()).toBe('ok');
    expect(bodyOf(await ask(client, { key: '/api/v1', verb: 'get' })).resources).toContainEqual(expect.objectContaining({ name: 'pods', kind: 'Pod' }));
  });

  it('[minicloud-13.6] a watch sends everything that is there as insert, then each change, acknowledged, with its version', async () => {
    await configMaps().create(configMap('w1'));
    const watch = { key: '/core/v1/configmaps/default/null', verb: 'watch', option: { labelSelector: 'seen!=no', watch: true } };
    expect(await ask(client, watch)).toMatchObject({ Status: 'Approved', RespBody: null });
    const first = await client.waitForPush('insert', 'default/configmap/w1');
    expect(first.route).toEqual({ source: 'dynamiccontroller', group: 'resource', operation: 'insert', resource: 'default/configmap/w1' });
    expect(first.header.resourceVersion).toBe(configMaps().find('w1', 'default')!.metadata.resourceVersion);
    expect(first.content).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'w1' } });
    await configMaps().modify('w1', 'default', (copy) => void (copy['data'] = { a: 'b' }));
    expect((await client.waitForPush('update', 'default/configmap/w1')).content).toMatchObject({ data: { a: 'b' } });
    await configMaps().create({ ...configMap('w2'), metadata: { name: 'w2', namespace: 'default', labels: { seen: 'no' } } as never });
    await configMaps().delete('w1', 'default');
    expect((await client.waitForPush('delete', 'default/configmap/w1')).content).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'w1' } });
    await client.until(() => fixture.cloud.hub.sessions[0]?.unacknowledged === 0);
    expect(pushesOf(client, 'default/configmap/w1')).toEqual(['insert', 'update', 'delete']);
    expect(pushesOf(client, 'default/configmap/w2')).toEqual([]);
  });

  it('[minicloud-13.7] an own pod comes once, whoever sends it, and a node\'s own write does not come back', async () => {
    await ask(client, { key: '/core/v1/pods/null/null', verb: 'watch' });
    const pods = fixture.cloud.api.resource('v1', 'pods');
    await pods.create({ metadata: { name: 'own', namespace: 'default' }, spec: { nodeName: 'edge-go', containers: [{ name: 'c', image: 'i' }] } });
    await client.waitForPush('insert', 'default/pod/own');
    for (let write = 1; write <= 5; write += 1) await client.ask('patch', 'default/podpatch/own', JSON.stringify({ status: { phase: 'Running', reason: `write ${write}` } }));
    await pods.create({ metadata: { name: 'other', namespace: 'default' }, spec: { nodeName: 'elsewhere', containers: [{ name: 'c', image: 'i' }] } });
    await client.waitForPush('insert', 'default/pod/other');
    await client.until(() => fixture.cloud.hub.sessions[0]?.unacknowledged === 0);
    const told = client.received.filter(({ route }) => route.resource === 'default/pod/own' && route.operation !== 'response').map(({ route }) => route.operation);
    expect(told.filter((operation) => operation === 'insert')).toHaveLength(1);
    // Some may, when the look for what the node lacks falls between a write and the note that the node has it.
    expect(told.filter((operation) => operation === 'update').length).toBeLessThan(5);
    // What is only listened to is not recorded as held by the node.
    expect(fixture.cloud.api.resource('reliablesyncs.kubeedge.io/v1alpha1', 'objectsyncs').find(`edge-go.${pods.find('other', 'default')!.metadata.uid}`, 'default')).toBeUndefined();
  });

  it('[minicloud-13.8] a device of another node that is listened to stays, and comes as its own when it is moved here', async () => {
    await ask(client, { key: '/devices.kubeedge.io/v1beta1/devices/null/null', verb: 'watch' });
    const devices = fixture.cloud.api.resource<KubeObject & { spec: { nodeName?: string } }>('devices.kubeedge.io/v1beta1', 'devices');
    await devices.create({ metadata: { name: 'd', namespace: 'default' }, spec: { nodeName: 'elsewhere' } } as never);
    await client.waitForPush('insert', 'default/device/d');
    await devices.modify('d', 'default', (copy) => void (copy.spec.nodeName = 'edge-go'));
    await client.waitFor(({ route }) => route.source === 'devicecontroller' && route.resource === 'default/device/d');
    expect(pushesOf(client, 'default/device/d')).not.toContain('delete');
  });

  it('[minicloud-13.9] watchapp/sync begins what is missing, ends what is not named, and names what it refuses', async () => {
    await configMaps().create(configMap('s1'));
    const kept = application('edge-go', { key: '/core/v1/configmaps/default/null', verb: 'watch' });
    const refused = application('edge-go', { key: '/core/v1/nothings/null/null', verb: 'watch' });
    const { route, content } = await send(client, { [kept.ID]: kept, [refused.ID]: refused }, 'watchapp/sync');
    expect(route).toEqual({ source: 'dynamiccontroller', group: 'resource', operation: 'applicationResponse', resource: 'watchapp/sync' });
    expect(Object.keys(content as object)).toEqual([refused.ID]);
    expect(content).toMatchObject({ [refused.ID]: { Status: 'Rejected', Error: { ErrStatus: { code: 404 } } } });
    await client.waitForPush('insert', 'default/configmap/s1');
    expect((await send(client, {}, 'watchapp/sync')).content).toEqual({});
    await configMaps().modify('s1', 'default', (copy) => void (copy['data'] = { a: 'b' }));
    await configMaps().create(configMap('s2'));
    // The answer comes after whatever the listener would have sent.
    await ask(client, { key: '/version', verb: 'get' });
    await client.until(() => fixture.cloud.hub.sessions[0]?.unacknowledged === 0);
    expect(pushesOf(client, 'default/configmap/s1')).toEqual(['insert']);
    expect(pushesOf(client, 'default/configmap/s2')).toEqual([]);
  });

  it('[minicloud-13.10] listeners are forgotten at a restart, and with the node', async () => {
    await using cloud = await openCloud();
    const node = await joinReady(cloud, 'n1');
    const watched = application('n1', { key: '/core/v1/configmaps/default/null', verb: 'watch' });
    await send(node, watched);
    await cloud.restart();
    const back = await cloud.connect('n1');
    await cloud.cloud.api.resource('v1', 'configmaps').create(configMap('r1'));
    await ask(back, { key: '/version', verb: 'get' });
    expect(pushesOf(back, 'default/configmap/r1')).toEqual([]);
    expect((await send(back, { [watched.ID]: watched }, 'watchapp/sync')).content).toEqual({});
    await back.waitForPush('insert', 'default/configmap/r1');
    await cloud.cloud.api.resource('v1', 'nodes').delete('n1');
    await back.until(() => back.closed !== undefined);
    const again = await cloud.connect('n1');
    await cloud.cloud.api.resource('v1', 'configmaps').create(configMap('r2'));
    await ask(again, { key: '/version', verb: 'get' });
    await again.until(() => cloud.cloud.hub.sessions[0]?.unacknowledged === 0);
    expect(pushesOf(again, 'default/configmap/r2')).toEqual([]);
  });
});
