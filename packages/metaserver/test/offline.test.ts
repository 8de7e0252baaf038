import { expect, it } from 'vitest';
import { metaserver } from '../src/index.js';
import { brief, eventually, object, Scene } from './scene.js';

const MAPS = '/api/v1/namespaces/default/configmaps';

it('[metaserver-3.1] answers get and list from the store while the cloud is away, with the true kind, and says so', async () => {
  await using scene = await Scene.open({ objects: [object('ConfigMap', 'a', 5, { data: { x: '1' } }), object('ConfigMap', 'b', 9, { metadata: { labels: { app: 'web' } } }), object('Pod', 'p', 7)] });
  const one = await scene.call('GET', `${MAPS}/a`);
  expect(one).toMatchObject({ code: 200, json: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' }, data: { x: '1' } }, headers: { 'content-type': 'application/json' } });
  expect(one.headers.warning).toMatch(/299 - "from the node's own store, it may be out of date: the node is not connected to the cloud"/);
  const list = (await scene.call('GET', MAPS)).json;
  expect(list).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' });
  expect(list.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(['a', 'b']);
  expect((await scene.call('GET', `${MAPS}?labelSelector=app%3Dweb`)).json.items).toHaveLength(1);
  expect((await scene.call('GET', `${MAPS}?fieldSelector=metadata.name%3Da`)).json.items).toHaveLength(1);
  expect((await scene.call('GET', `${MAPS}/none`))).toMatchObject({ code: 404, json: { kind: 'Status', reason: 'NotFound' } });
  expect((await scene.call('GET', '/api/v1/pods', undefined, { Accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' })).json).toMatchObject({ kind: 'Table', rows: [{ cells: expect.arrayContaining(['p']) }] });
  expect((await scene.call('GET', '/readyz')).text).toBe('ok');
  expect(scene.hub.received).toEqual([]);
});

it('[metaserver-3.13] a type that nobody here can know: a list is empty and says why, everything else is not found', async () => {
  await using scene = await Scene.open({ objects: [] });
  const list = await scene.call('GET', '/apis/x.example/v1/namespaces/ns/policies');
  expect(list).toMatchObject({ code: 200, json: { kind: 'PolicyList', apiVersion: 'x.example/v1', items: [] } });
  expect(list.headers.warning).toContain('the node does not know the type policies');
  // As upstream's own suite asks: versions and groups that no cluster has.
  const kinds = { '/apis/apiextensions.k8s.io/v1beta1/customresourcedefinitions': 'CustomResourceDefinitionList', '/apis/apps/v1/namespaces/ns-foo/jobs': 'JobList', '/apis/x.example/v1/glasses': 'GlassList' };
  for (const [path, kind] of Object.entries(kinds)) {
    expect(await scene.call('GET', path)).toMatchObject({ code: 200, json: { kind } });
    expect((await scene.call('GET', `${path}/one`)).code).toBe(404);
    expect((await scene.call('POST', path, { kind: 'Any' })).code).toBe(404);
    expect((await scene.call('GET', `${path}?watch=true`)).code).toBe(404);
  }
});

it('[metaserver-3.2] pages show one version, whatever changes meanwhile', async () => {
  await using scene = await Scene.open({ objects: [1, 2, 3, 4].map((n) => object('ConfigMap', `m${n}`, n)) });
  const first = (await scene.call('GET', `${MAPS}?limit=2`)).json;
  const watch = await scene.watch(`${MAPS}?watch=true&resourceVersion=${first.metadata.resourceVersion}`);
  scene.meta.put(object('ConfigMap', 'm0', 9), object('ConfigMap', 'm4', 10));
  await eventually(() => watch.events.length === 2);
  watch.close();
  const second = (await scene.call('GET', `${MAPS}?limit=2&continue=${encodeURIComponent(first.metadata.continue)}`)).json;
  expect([...first.items, ...second.items].map(({ metadata }) => metadata.name)).toEqual(['m1', 'm2', 'm3', 'm4']);
  expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
});

it('[metaserver-3.3] a watch begins with what is there, then brings each change once, bookmarked by versions that only grow', async () => {
  await using scene = await Scene.open({ objects: [object('ConfigMap', 'a', 50)] });
  const watch = await scene.watch(`${MAPS}?watch=true`);
  await eventually(() => watch.events.length === 1);
  // Out of the order of the cloud's versions, as the link may bring them.
  scene.meta.put(object('ConfigMap', 'b', 70));
  scene.meta.put(object('ConfigMap', 'c', 60));
  scene.meta.put(object('ConfigMap', 'a', 55));
  scene.meta.remove(object('ConfigMap', 'b', 70));
  scene.meta.put(object('ConfigMap', 'a', 80, { metadata: { uid: 'another' } }));
  await eventually(() => watch.events.length === 7);
  expect(brief(watch.events)).toEqual(['ADDED a', 'ADDED b', 'ADDED c', 'MODIFIED a', 'DELETED b', 'DELETED a', 'ADDED a']);
  const versions = watch.events.map((event) => Number(event.object.metadata.resourceVersion));
  expect(versions).toEqual([...versions].sort((a, b) => a - b));
  watch.close();
  // Coming back at any of them brings the rest and no more.
  const again = await scene.watch(`${MAPS}?watch=true&resourceVersion=${versions[2]}`);
  await eventually(() => again.events.length === 4);
  expect(brief(again.events)).toEqual(['MODIFIED a', 'DELETED b', 'DELETED a', 'ADDED a']);
  again.close();
});

it('[metaserver-3.4] selectors turn changes into coming and going; a version that is not known any more is 410', async () => {
  await using scene = await Scene.open({ objects: [object('ConfigMap', 'a', 1, { metadata: { labels: { app: 'web' } } })] });
  const watch = await scene.watch(`${MAPS}?watch=true&labelSelector=app%3Dweb`);
  scene.meta.put(object('ConfigMap', 'b', 2, { metadata: { labels: { app: 'web' } } }));
  scene.meta.put(object('ConfigMap', 'a', 3));
  scene.meta.put(object('ConfigMap', 'a', 4, { metadata: { labels: { app: 'web' } } }));
  await eventually(() => watch.events.length === 4);
  expect(brief(watch.events)).toEqual(['ADDED a', 'ADDED b', 'DELETED a', 'ADDED a']);
  watch.close();
  const future = await scene.watch(`${MAPS}?watch=true&resourceVersion=99999`);
  await future.closed;
  expect(future.events).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }]);
});

it('[metaserver-3.5] changes need the cloud and are refused with a reason while it is away', async () => {
  await using scene = await Scene.open({ objects: [object('ConfigMap', 'a', 1)] });
  const refused = { code: 503, json: { kind: 'Status', reason: 'ServiceUnavailable', message: expect.stringContaining('not connected') } };
  const post = await scene.call('POST', MAPS, { metadata: { name: 'n' } });
  expect(post).toMatchObject(refused);
  expect(post.headers['retry-after']).toBeUndefined();
  expect(await scene.call('PUT', `${MAPS}/a`, { metadata: { name: 'a' } })).toMatchObject(refused);
  expect(await scene.call('DELETE', `${MAPS}/a`)).toMatchObject(refused);
  expect(await scene.call('PATCH', `${MAPS}/a`, '{}', { 'Content-Type': 'application/merge-patch+json' })).toMatchObject(refused);
  expect((await scene.call('GET', `${MAPS}/a`)).code).toBe(200);
  // What is not stored cannot be read either.
  expect(await scene.call('GET', '/apis/apps/v1/namespaces/default/deployments/web/scale')).toMatchObject(refused);
});

it('[metaserver-4.2] is off unless switched on, and names a setting that is wrong', () => {
  const { parse } = metaserver.config;
  expect(metaserver.enabled(parse(undefined, {}))).toBe(false);
  expect(parse({ enable: true, server: '[::1]:8080' }, {})).toMatchObject({ enable: true, server: { host: '::1', port: 8080 } });
  for (const server of ['10550', 'a:b', '127.0.0.1:70000', 5]) expect(() => parse({ server }, {})).toThrow(/modules\.metaManager\.metaServer\.server is .*, it must be host:port/);
  expect(() => parse({ enable: 'yes' }, {})).toThrow('enable is "yes", it must be true or false');
  expect(parse({}, {})).toMatchObject({ dummyServer: { host: '169.254.30.10', port: 10_550 }, audiences: ['https://kubernetes.default.svc.cluster.local'], certificateDirectory: '/etc/kubeedge/pki/metaserver' });
  expect(parse({ serviceAccountIssuers: ['https://a'], apiAudiences: [] }, { edge: { metaServer: { certificateDirectory: '/x' } } })).toMatchObject({ audiences: ['https://a'], certificateDirectory: '/x' });
  expect(() => parse({ serviceAccountKeyFiles: 'sa.pub' }, {})).toThrow('modules.metaManager.metaServer.serviceAccountKeyFiles is "sa.pub", it must be a list of texts');
});

it('[metaserver-1.1] versions and watches survive a restart: what has not changed keeps its version, what has comes once', async () => {
  const first = await Scene.open({ objects: ['a', 'b', 'c'].map((name, index) => object('ConfigMap', name, index + 1)) });
  const { store, meta, cloud } = first;
  const before = (await first.call('GET', MAPS)).json;
  const { resourceVersion } = before.metadata;
  await first.running.stop();
  meta.put(object('ConfigMap', 'b', 20), object('ConfigMap', 'd', 21));
  meta.remove(object('ConfigMap', 'c', 3));
  {
    await using second = await Scene.open({ store, meta, cloud });
    const after = (await second.call('GET', MAPS)).json;
    expect(after.items[0].metadata.resourceVersion).toBe(before.items[0].metadata.resourceVersion);
    expect(Number(after.metadata.resourceVersion)).toBeGreaterThan(Number(resourceVersion));
    const watch = await second.watch(`${MAPS}?watch=true&resourceVersion=${resourceVersion}`);
    meta.put(object('ConfigMap', 'a', 22));
    await eventually(() => watch.events.length === 4);
    expect(brief(watch.events)).toEqual(['MODIFIED b', 'ADDED d', 'DELETED c', 'MODIFIED a']);
    watch.close();
    // What an object was like before the restart is not known, so a selection cannot go on.
    const selected = await second.watch(`${MAPS}?watch=true&resourceVersion=${resourceVersion}&labelSelector=x`);
    await selected.closed;
    expect(selected.events).toMatchObject([{ type: 'ERROR', object: { code: 410 } }]);
  }
  await cloud[Symbol.asyncDispose]();
});

it('[metaserver-2.1] a message of metamanager that is lost, or a restart of it, leads to a comparison of everything', async () => {
  await using scene = await Scene.open({ objects: [object('ConfigMap', 'a', 1), object('ConfigMap', 'b', 2)] });
  const watch = await scene.watch(`${MAPS}?watch=true`);
  await eventually(() => watch.events.length === 2);
  scene.meta.lose = 2;
  scene.meta.put(object('ConfigMap', 'a', 10));
  scene.meta.remove(object('ConfigMap', 'b', 2));
  scene.meta.put(object('ConfigMap', 'c', 11));
  await eventually(() => watch.events.length === 5);
  expect(brief(watch.events).slice(2).sort()).toEqual(['ADDED c', 'DELETED b', 'MODIFIED a']);
  scene.meta.lose = 1;
  scene.meta.put(object('ConfigMap', 'd', 12));
  scene.meta.begin();
  await eventually(() => watch.events.length === 6);
  expect(brief(watch.events).at(-1)).toBe('ADDED d');
  watch.close();
});

it('[metaserver-1.2] versions of a database that was lost are 410, also when the new one has more changes', async () => {
  const first = await Scene.open({ objects: [object('ConfigMap', 'a', 1)] });
  const { resourceVersion } = (await first.call('GET', MAPS)).json.metadata;
  await first.running.stop();
  await first.cloud[Symbol.asyncDispose]();
  await eventually(() => Date.now() > Number(resourceVersion));
  await using second = await Scene.open({ objects: Array.from({ length: 20 }, (_, at) => object('ConfigMap', `m${at}`, at + 1)) });
  expect(Number((await second.call('GET', MAPS)).json.metadata.resourceVersion)).toBeGreaterThan(Number(resourceVersion));
  const watch = await second.watch(`${MAPS}?watch=true&resourceVersion=${resourceVersion}`);
  await watch.closed;
  expect(watch.events).toMatchObject([{ type: 'ERROR', object: { code: 410 } }]);
});
