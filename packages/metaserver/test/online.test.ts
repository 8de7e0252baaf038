import { expect, it } from 'vitest';
import { brief, eventually, object, Scene } from './scene.js';

const MAPS = '/api/v1/namespaces/default/configmaps';
const MERGE = { 'Content-Type': 'application/merge-patch+json' };

it('[metaserver-5.1] a read is the cloud\'s answer, kept for when it is away, with versions that watches understand', async () => {
  await using scene = await Scene.open({ connected: true });
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'a' }, data: { x: '1' } });
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'b', labels: { app: 'web' } } });
  const one = await scene.call('GET', `${MAPS}/a`);
  expect(one).toMatchObject({ code: 200, json: { data: { x: '1' } } });
  expect(one.headers.warning).toBeUndefined();
  expect((await scene.call('GET', `${MAPS}?labelSelector=app%3Dweb`)).json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(['b']);
  const list = (await scene.call('GET', MAPS)).json;
  expect(list.items).toHaveLength(2);
  // What is the same again is not stored again.
  const stored = (): number => scene.meta.recorded.flatMap(({ objects = [], absent = [] }) => [...objects, ...absent]).length;
  const before = stored();
  await scene.call('GET', MAPS);
  expect(stored()).toBe(before);
  scene.disconnect();
  expect((await scene.call('GET', MAPS)).json.items).toEqual(list.items);
  const watch = await scene.watch(`${MAPS}?watch=true&resourceVersion=${list.metadata.resourceVersion}`);
  scene.meta.put(object('ConfigMap', 'c', 900));
  await eventually(() => watch.events.length === 1);
  expect(brief(watch.events)).toEqual(['ADDED c']);
  watch.close();
});

it('[metaserver-5.2] refusals of the cloud are answers and are not covered up by what the node has', async () => {
  await using scene = await Scene.open({ connected: true, objects: [object('ConfigMap', 'a', 5), object('Secret', 's', 6)] });
  // Not in the cloud: it has gone, here as well.
  expect(await scene.call('GET', `${MAPS}/a`)).toMatchObject({ code: 404, json: { reason: 'NotFound', details: { name: 'a', kind: 'configmaps' } } });
  expect([...scene.meta.objects.keys()].some((key) => key.includes('ConfigMap'))).toBe(false);
  scene.cloud.refuse = ({ Verb }) => (Verb === 'list'
    ? 'successfully to add listener but failed to get current list, secrets is forbidden: User "system:node:edge" cannot list resource "secrets"'
    : { status: 'Failure', reason: 'Forbidden', message: 'no', code: 403 });
  expect(await scene.call('GET', '/api/v1/namespaces/default/secrets/s')).toMatchObject({ code: 403, json: { reason: 'Forbidden', message: 'no' } });
  expect(await scene.call('GET', '/api/v1/secrets')).toMatchObject({ code: 403, json: { reason: 'Forbidden' } });
  const watch = await scene.watch('/api/v1/secrets?watch=true');
  await watch.closed;
  expect(watch.events).toMatchObject([{ type: 'ERROR', object: { code: 403 } }]);
  // It still has the Secret for when it may be read again.
  expect(scene.meta.objects.size).toBe(1);
  scene.cloud.refuse = () => 'something broke';
  expect(await scene.call('GET', '/api/v1/secrets')).toMatchObject({ code: 500, json: { message: 'something broke' } });
});

it('[metaserver-5.3] a list tells what has gone, but not of what is younger than the list', async () => {
  const objects = [object('ConfigMap', 'gone', 1), object('ConfigMap', 'other', 1, { metadata: { namespace: 'elsewhere' } }), object('ConfigMap', 'young', 1_000_000)];
  await using scene = await Scene.open({ connected: true, objects });
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'kept' } });
  const names = async (path: string): Promise<string[]> => (await scene.call('GET', path)).json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
  expect(await names(MAPS)).toEqual(['kept', 'young']);
  expect(scene.meta.objects.size).toBe(3);
  expect(await names('/api/v1/configmaps')).toEqual(['kept', 'young']);
});

it('[metaserver-5.6] a selected list lacks nothing that its version includes, and has nothing that has left the selection', async () => {
  await using scene = await Scene.open({ connected: true });
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'a', labels: { app: 'web' } } });
  const maps = scene.cloud.api.resource('v1', 'configmaps');
  // One object is followed; a list by label asks the cloud all the same.
  const watch = await scene.watch(`${MAPS}?watch=true&fieldSelector=metadata.name%3Db`);
  const list = async (): Promise<string[]> => (await scene.call('GET', `${MAPS}?labelSelector=app%3Dweb`)).json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
  await eventually(() => scene.cloud.requests('list').length === 1);
  // The feed brings it while the answer is on its way.
  scene.cloud.beforeAnswer = async ({ Verb }) => {
    if (Verb !== 'list') return;
    scene.cloud.beforeAnswer = undefined;
    await scene.inCloud('v1', 'configmaps', { metadata: { name: 'b', labels: { app: 'web' } } });
    await eventually(() => watch.events.length === 1);
  };
  expect(await list()).toEqual(['a', 'b']);
  scene.cloud.forget();
  // Unseen by the node, one leaves the selection and one goes.
  await maps.modify('a', 'default', (copy) => { copy.metadata.labels = { app: 'other' }; });
  await maps.delete('b', 'default');
  expect(await list()).toEqual([]);
  expect((await scene.call('GET', '/api/v1/namespaces/default/configmaps/a')).json.metadata.labels).toEqual({ app: 'other' });
  watch.close();
});

it('[metaserver-5.5] an answer that was on its way while the object went does not bring it back', async () => {
  const gone = object('ConfigMap', 'a', 1);
  await using scene = await Scene.open({ connected: true, objects: [gone] });
  scene.disconnect();
  const watch = await scene.watch(`${MAPS}?watch=true`);
  await eventually(() => watch.events.length === 1);
  scene.connect();
  await eventually(() => watch.events.length === 2);
  expect(brief(watch.events)).toEqual(['ADDED a', 'DELETED a']);
  watch.close();
  // The cloud's answer of before the deletion.
  const late = { ...gone, metadata: { ...gone.metadata } };
  scene.cloud.api.get = async () => late as never;
  expect((await scene.call('GET', '/api/v1/namespaces/default/configmaps/a')).code).toBe(404);
  expect(scene.meta.objects.size).toBe(0);
});

it('[metaserver-5.4] pages are asked for by pages; what carries no version is passed on and not kept', async () => {
  await using scene = await Scene.open({ connected: true });
  for (let n = 0; n < 3; n += 1) await scene.inCloud('v1', 'configmaps', { metadata: { name: `m${n}` } });
  const first = (await scene.call('GET', `${MAPS}?limit=2`)).json;
  expect(first.items).toHaveLength(2);
  expect((await scene.call('GET', `${MAPS}?limit=2&continue=${encodeURIComponent(first.metadata.continue)}`)).json.items).toHaveLength(1);
  expect(JSON.parse(Buffer.from(scene.cloud.asked.find(({ Verb }) => Verb === 'list')?.Option ?? '', 'base64').toString())).toEqual({ limit: 500 });
  expect(scene.cloud.requests('list')).toHaveLength(1);
});

it('[metaserver-6.1] a watch follows a collection: listener, then list; reads of it then cost no question', async () => {
  await using scene = await Scene.open({ connected: true });
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'a' } });
  const watch = await scene.watch(`${MAPS}?watch=true&labelSelector=app%3Dweb`);
  await eventually(() => scene.cloud.listeners.size === 1 && scene.cloud.requests('list').length === 1);
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'b', labels: { app: 'web' } } });
  await eventually(() => watch.events.length === 1);
  await scene.cloud.api.resource('v1', 'configmaps').modify('b', 'default', (copy) => { copy.metadata.labels = {}; });
  await eventually(() => watch.events.length === 2);
  expect(brief(watch.events)).toEqual(['ADDED b', 'DELETED b']);
  const asked = scene.cloud.asked.length;
  expect((await scene.call('GET', MAPS)).json.items).toHaveLength(2);
  expect((await scene.call('GET', `${MAPS}/a`)).code).toBe(200);
  const second = await scene.watch(`${MAPS}?watch=true`);
  await eventually(() => second.events.length === 2);
  expect(scene.cloud.asked).toHaveLength(asked);
  // Another namespace is another collection.
  await scene.call('GET', '/api/v1/namespaces/other/configmaps');
  expect(scene.cloud.asked).toHaveLength(asked + 1);
  watch.close();
  second.close();
});

it('[metaserver-6.2] watches outlive the link and the cloud\'s memory: after a connect they get what they missed, once', async () => {
  await using scene = await Scene.open({ connected: true });
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'a' } });
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'b' } });
  const watch = await scene.watch(`${MAPS}?watch=true`);
  await eventually(() => watch.events.length === 2);
  scene.disconnect();
  scene.cloud.forget();
  const maps = scene.cloud.api.resource('v1', 'configmaps');
  await maps.modify('a', 'default', (copy) => { copy.data = { x: '2' }; });
  await maps.delete('b', 'default');
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'c' } });
  scene.connect();
  await eventually(() => watch.events.length === 5);
  expect(brief(watch.events).slice(2).sort()).toEqual(['ADDED c', 'DELETED b', 'MODIFIED a']);
  expect(scene.cloud.syncs).toEqual([['/core/v1/configmaps/default/null']]);
  await maps.modify('a', 'default', (copy) => { copy.data = { x: '3' }; });
  await eventually(() => watch.events.length === 6);
  watch.close();
});

it('[metaserver-6.3] a watch that begins while the cloud is silent shows what there is, and the rest as soon as it speaks', async () => {
  await using scene = await Scene.open({ connected: false, objects: [object('ConfigMap', 'old', 1)] });
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'new' } });
  const watch = await scene.watch(`${MAPS}?watch=true`);
  await eventually(() => watch.events.length === 1);
  scene.connect();
  await eventually(() => watch.events.length === 3);
  expect(brief(watch.events)).toEqual(['ADDED old', ...brief(watch.events).slice(1)]);
  expect(brief(watch.events).slice(1).sort()).toEqual(['ADDED new', 'DELETED old']);
  watch.close();
});

it('[metaserver-6.9] pods of a namespace are followed by the name that CloudCore has for it; pods that ran elsewhere come and go as well', async () => {
  await using scene = await Scene.open({ connected: true });
  const watch = await scene.watch('/api/v1/namespaces/default/pods?watch=true');
  await eventually(() => scene.cloud.listeners.size === 2 && scene.cloud.requests('list').length === 1);
  expect(scene.cloud.asked.filter(({ Verb }) => Verb === 'watch').map(({ Key, Option }) => [Key, JSON.parse(Buffer.from(Option ?? '', 'base64').toString())])).toEqual([
    ['/core/v1/pods/default/null', { watch: true }],
    ['/core/v1/pods/null/null', { fieldSelector: 'metadata.namespaces=default', watch: true }],
  ]);
  const pod = (name: string) => ({ metadata: { name }, spec: { nodeName: 'far', containers: [{ name: 'c', image: 'i' }] } });
  await scene.inCloud('v1', 'pods', pod('far'));
  await eventually(() => watch.events.length === 1);
  expect(brief(watch.events)).toEqual(['ADDED far']);
  watch.close();
});

it('[metaserver-6.4] one object, or the pods of this node, are followed alone', async () => {
  await using scene = await Scene.open({ connected: true, node: 'n1' });
  const one = await scene.watch(`${MAPS}?watch=true&fieldSelector=metadata.name%3Da`);
  const pods = await scene.watch('/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dn1');
  await eventually(() => scene.cloud.listeners.size === 2 && scene.cloud.requests('list').length === 2);
  expect(scene.cloud.asked.filter(({ Verb }) => Verb === 'watch').map(({ Key, Option }) => [Key, JSON.parse(Buffer.from(Option ?? '', 'base64').toString())])).toEqual([
    ['/core/v1/configmaps/default/null', { fieldSelector: 'metadata.name=a', watch: true }],
    ['/core/v1/pods/null/null', { fieldSelector: 'spec.nodeName=n1', watch: true }],
  ]);
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'b' } });
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'a' } });
  await eventually(() => one.events.length === 1);
  expect(brief(one.events)).toEqual(['ADDED a']);
  expect([...scene.meta.objects.keys()].filter((key) => key.endsWith('/b'))).toEqual([]);
  one.close();
  pods.close();
});

it('[metaserver-7.1] changes are made in the cloud and can be read at once; versions are translated, old ones refused', async () => {
  await using scene = await Scene.open({ connected: true });
  for (let n = 0; n < 5; n += 1) await scene.inCloud('v1', 'secrets', { metadata: { name: `apart${n}` } });
  const created = await scene.call('POST', `${MAPS}?fieldManager=me`, { metadata: { name: 'a' }, data: { x: '1' } });
  expect(created).toMatchObject({ code: 201, json: { kind: 'ConfigMap', metadata: { namespace: 'default' } } });
  const cloudVersion = async (): Promise<string> => (await scene.cloud.api.resource('v1', 'configmaps').get('a', 'default')).metadata.resourceVersion;
  expect(created.json.metadata.resourceVersion).not.toBe(await cloudVersion());
  const updated = await scene.call('PUT', `${MAPS}/a`, { ...created.json, data: { x: '2' } });
  expect(updated).toMatchObject({ code: 200, json: { data: { x: '2' } } });
  expect(await scene.call('PUT', `${MAPS}/a`, { ...created.json, data: { x: '3' } })).toMatchObject({ code: 409, json: { reason: 'Conflict' } });
  expect(await scene.call('PATCH', `${MAPS}/a`, JSON.stringify({ data: { y: '4' } }), MERGE)).toMatchObject({ code: 200, json: { data: { x: '2', y: '4' } } });
  expect((await scene.call('PATCH', `${MAPS}/a`, JSON.stringify({ metadata: { resourceVersion: created.json.metadata.resourceVersion } }), MERGE)).code).toBe(409);
  expect(await scene.call('POST', MAPS, { metadata: { name: 'a' } })).toMatchObject({ code: 409, json: { reason: 'AlreadyExists' } });
  expect((await scene.call('POST', `${MAPS}?dryRun=All`, { metadata: { name: 'dry' } })).code).toBe(201);
  expect((await scene.call('GET', `${MAPS}/dry`)).code).toBe(404);
  expect(await scene.call('DELETE', `${MAPS}/a`)).toMatchObject({ code: 200, json: { kind: 'Status', status: 'Success', details: { name: 'a', kind: 'configmaps' } } });
  expect((await scene.call('GET', `${MAPS}/a`)).code).toBe(404);
  scene.disconnect();
  expect((await scene.call('GET', `${MAPS}/a`)).code).toBe(404);
});

it('[metaserver-7.2] what only begins to end is answered as it is; a status is a write of its own', async () => {
  await using scene = await Scene.open({ connected: true });
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'held', finalizers: ['x.example/hold'] } });
  const deleted = await scene.call('DELETE', `${MAPS}/held`);
  expect(deleted).toMatchObject({ code: 200, json: { kind: 'ConfigMap', metadata: { deletionTimestamp: expect.any(String) } } });
  await scene.inCloud('v1', 'nodes', { metadata: { name: 'n1', namespace: undefined as never } });
  const node = (await scene.call('GET', '/api/v1/nodes/n1')).json;
  expect(await scene.call('PUT', '/api/v1/nodes/n1/status', { ...node, status: { phase: 'Running' } })).toMatchObject({ code: 200, json: { status: { phase: 'Running' } } });
  expect(scene.cloud.asked.at(-1)).toMatchObject({ Verb: 'updatestatus', Key: '/core/v1/nodes/null/n1', Subresource: 'status' });
  expect((await scene.call('DELETE', `${MAPS}?labelSelector=none%3Dnone`)).json.items).toEqual([]);
});

it('[metaserver-7.3] a request that the end of the agent interrupts is answered as what it is, and is no error of the agent', async () => {
  const scene = await Scene.open({ connected: true });
  let stopped: Promise<unknown> | undefined;
  scene.cloud.beforeAnswer = ({ Verb }) => {
    if (Verb === 'create') stopped = scene.running.stop();
  };
  const answer = await scene.call('POST', MAPS, { metadata: { name: 'a' } });
  expect(answer).toMatchObject({ code: 503, json: { message: 'the agent is ending; whether a change was made can be read when it is back' } });
  await stopped;
  expect(scene.running.lines.filter(({ level }) => level === 'error')).toEqual([]);
  await scene.cloud[Symbol.asyncDispose]();
});

it('[metaserver-7.4] a deletion that the cloud has made is no failure when the node may not look, or the link breaks then', async () => {
  await using scene = await Scene.open({ connected: true });
  for (const name of ['a', 'b']) await scene.inCloud('v1', 'configmaps', { metadata: { name } });
  scene.cloud.refuse = ({ Verb }) => (Verb === 'get' ? { status: 'Failure', reason: 'Forbidden', message: 'no', code: 403 } : undefined);
  expect((await scene.call('DELETE', `${MAPS}/a`)).code).toBe(200);
  scene.cloud.refuse = undefined;
  scene.cloud.beforeAnswer = ({ Verb }) => { if (Verb === 'get') scene.disconnect(); };
  expect((await scene.call('DELETE', `${MAPS}/b`)).code).toBe(200);
  expect((await scene.cloud.api.resource('v1', 'configmaps').list({})).items).toEqual([]);
});

it('[metaserver-8.1] discovery and version are the cloud\'s, kept for when it is away; types that it names are served with their true names', async () => {
  await using scene = await Scene.open({ connected: true });
  await scene.cloud.api.resource('apiextensions.k8s.io/v1', 'customresourcedefinitions').create({
    metadata: { name: 'ciliumendpoints.cilium.io' },
    spec: {
      group: 'cilium.io', scope: 'Namespaced', names: { plural: 'ciliumendpoints', singular: 'ciliumendpoint', kind: 'CiliumEndpoint', listKind: 'CiliumEndpointList', shortNames: ['cep'] },
      versions: [{ name: 'v2', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }],
    },
  });
  await scene.inCloud('cilium.io/v2', 'ciliumendpoints', { metadata: { name: 'e' } });
  expect((await scene.call('GET', '/apis/cilium.io/v2/ciliumendpoints')).json).toMatchObject({ kind: 'CiliumEndpointList', apiVersion: 'cilium.io/v2', items: [{ kind: 'CiliumEndpoint' }] });
  const version = (await scene.call('GET', '/version')).json;
  expect((await scene.call('GET', '/apis')).json.groups.map(({ name }: { name: string }) => name)).toContain('cilium.io');
  expect((await scene.call('GET', '/apis/none.example/v1/things')).code).toBe(404);
  const asked = scene.cloud.asked.length;
  for (const path of ['/apis/cilium.io/v2', '/apis', '/version']) await scene.call('GET', path);
  expect((await scene.call('GET', '/apis/none.example/v1/things')).code).toBe(404);
  expect(scene.cloud.asked).toHaveLength(asked);
  await scene.running.stop();
  await using later = await Scene.open({ store: scene.store, meta: scene.meta, cloud: scene.cloud });
  expect((await later.call('GET', '/apis/cilium.io/v2/ciliumendpoints')).json).toMatchObject({ kind: 'CiliumEndpointList', items: [{ metadata: { name: 'e' } }] });
  expect(await later.call('GET', '/version')).toMatchObject({ json: version, headers: { warning: expect.stringContaining('out of date') } });
  expect((await later.call('GET', '/apis/cilium.io/v2')).json.resources[0]).toMatchObject({ kind: 'CiliumEndpoint', shortNames: ['cep'] });
});

it('[metaserver-8.2] objects of a kind that nobody has told of wait until somebody does', async () => {
  const gauge = object('Gauge', 'g', 5, { apiVersion: 'sea.example/v1' });
  await using scene = await Scene.open({ connected: true, objects: [gauge] });
  expect((await scene.call('GET', '/apis/sea.example/v1/gauges')).code).toBe(404);
  scene.disconnect();
  await scene.cloud.api.resource('apiextensions.k8s.io/v1', 'customresourcedefinitions').create({
    metadata: { name: 'gauges.sea.example' },
    spec: { group: 'sea.example', scope: 'Namespaced', names: { plural: 'gauges', singular: 'gauge', kind: 'Gauge' }, versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }] },
  });
  scene.connect();
  expect((await scene.call('GET', '/apis/sea.example/v1')).code).toBe(200);
  scene.disconnect();
  expect((await scene.call('GET', '/apis/sea.example/v1/gauges')).json.items).toHaveLength(1);
});
