import { createMessage, metaV2Table, type Message, type MetaV2Row } from '@edge/protocol';
import { createMemoryStore } from '@edge/testing';
import { expect, it } from 'vitest';
import type { FeedContent } from '../src/feed/follower.js';
import { eventually, object, openScene, push, settle, type Scene } from './scene.js';

const asServer = (operation: string, resource: string, content?: unknown): Message => createMessage({ source: 'metaserver', group: 'meta', operation, resource, content });
const ask = async (scene: Scene, operation: string, resource: string, content?: unknown): Promise<Message> =>
  scene.running.bus.bus.request({ group: 'meta' }, asServer(operation, resource, content), { timeoutMs: 30_000 });
const follow = async (scene: Scene): Promise<FeedContent> => (await ask(scene, 'get', 'stored/objects')).content as FeedContent;
const told = (messages: readonly Message[]): FeedContent[] => messages.map(({ content }) => content as FeedContent);
const names = (feed: FeedContent): string[] => feed.items.map(({ key, object: it }) => `${key.split('/').at(-1)}@${it?.metadata.resourceVersion ?? 'gone'}`);

it('[metamanager-11.1] gives metaserver what there is and then each change, with the state on the disk, and nothing before it asks', async () => {
  await using scene = await openScene();
  const server = scene.running.bus.play('metaserver', 'metaserver');
  await scene.fromCloud(push('insert', 'default/configmap/a', object('ConfigMap', 'a', 5)));
  await eventually(() => scene.objects.value('default/configmap/a') !== undefined);
  await settle();
  expect(server.received).toEqual([]);
  const first = await follow(scene);
  expect(names(first)).toEqual(['a@5']);
  for (const [operation, name, version] of [['insert', 'b', 6], ['update', 'a', 7], ['update', 'a', 4], ['delete', 'b', 8]] as const) {
    const message = push(operation, `default/configmap/${name}`, object('ConfigMap', name, version));
    await scene.fromCloud(message);
    await eventually(() => scene.acknowledged().includes(message.header.id));
    await settle();
  }
  await eventually(() => told(server.received).flatMap(names).includes('b@gone'));
  expect(told(server.received).flatMap(names)).toEqual(['b@6', 'a@7', 'b@gone']);
  expect(told(server.received).map(({ sequence }) => sequence)).toEqual([1, 2, 3].map((step) => first.sequence + step));
  expect(new Set(told(server.received).map(({ epoch }) => epoch))).toEqual(new Set([first.epoch]));
});

it('[metamanager-11.2] a slow follower gets fewer messages, each with the newest state', async () => {
  await using scene = await openScene();
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => { open = resolve; });
  const server = scene.running.bus.play('metaserver', 'metaserver', async () => {
    await gate;
    return undefined;
  });
  await follow(scene);
  const last = 1500;
  for (let version = 1; version <= last; version += 1) await scene.fromCloud(push('update', `default/configmap/m${version % 3}`, object('ConfigMap', `m${version % 3}`, version)));
  await eventually(() => scene.objects.identity({ namespace: 'default', type: 'configmap', name: `m${last % 3}` })?.resourceVersion === String(last), 30_000);
  open();
  await eventually(() => told(server.received).flatMap(names).includes(`m${last % 3}@${last}`), 30_000);
  const seen = new Map<string, number>();
  for (const { key, object: it } of told(server.received).flatMap(({ items }) => items)) {
    const version = Number(it?.metadata.resourceVersion);
    expect(version).toBeGreaterThanOrEqual(seen.get(key) ?? 0);
    seen.set(key, version);
  }
  expect([...seen.values()].sort()).toEqual([last - 2, last - 1, last]);
});

it('[metamanager-11.3] keeps what metaserver read in the cloud, newest wins, forgets what is gone, and says when it has told that', async () => {
  await using scene = await openScene();
  const server = scene.running.bus.play('metaserver', 'metaserver');
  await follow(scene);
  const lease = object('Lease', 'leader', 9, { apiVersion: 'coordination.k8s.io/v1' });
  const record = async (objects: unknown[], absent: unknown[] = []): Promise<FeedContent> => (await ask(scene, 'update', 'stored/objects', { objects, absent })).content as FeedContent;
  const { sequence } = await record([object('ConfigMap', 'a', 5), lease, object('Widget', 'w', 3, { apiVersion: 'x.example/v1' })]);
  await eventually(() => told(server.received).some((feed) => feed.sequence === sequence));
  expect(told(server.received).flatMap(names)).toEqual(['a@5', 'leader@9', 'w@3']);
  await record([object('ConfigMap', 'a', 4)]);
  await record([], [object('ConfigMap', 'a', 4)]);
  expect(scene.objects.shown('/core/v1/configmaps/default/a')?.metadata.resourceVersion).toBe('5');
  // An older push does not take back what was read.
  await scene.fromCloud(push('insert', 'default/configmap/a', object('ConfigMap', 'a', 3)));
  await eventually(() => scene.objects.value('default/configmap/a') !== undefined);
  expect(scene.objects.shown('/core/v1/configmaps/default/a')?.metadata.resourceVersion).toBe('5');
  await record([], [object('ConfigMap', 'a', 5)]);
  expect(scene.objects.shown('/core/v1/configmaps/default/a')).toBeUndefined();
  // Nothing of this is a row of the node's own.
  expect(scene.objects.value('default/lease/leader')).toBeUndefined();
  expect((await ask(scene, 'update', 'stored/objects', { objects: 'text' })).route.operation).toBe('error');
});

it('[metamanager-11.4] leases that the node renews are not shown; those that the local API follows are, with each renewal', async () => {
  await using scene = await openScene();
  const server = scene.running.bus.play('metaserver', 'metaserver');
  await follow(scene);
  const renewed = (version: number): unknown => object('Lease', 'leader', version, { apiVersion: 'coordination.k8s.io/v1', spec: { holderIdentity: 'x', renewTime: String(version) } });
  await scene.fromCloud(push('insert', 'default/lease/leader', renewed(1)));
  await scene.fromCloud(push('insert', 'default/lease/leader', renewed(2), { source: 'dynamiccontroller' }));
  await scene.fromCloud(push('update', 'default/lease/leader', renewed(3), { source: 'dynamiccontroller' }));
  await eventually(() => told(server.received).flatMap(names).includes('leader@3'));
  expect(told(server.received).flatMap(names)).not.toContain('leader@1');
});

it('[metamanager-11.5] the end of an object does not take a later one of that name away', async () => {
  await using scene = await openScene();
  await ask(scene, 'update', 'stored/objects', { objects: [object('ConfigMap', 'a', 20, { metadata: { uid: 'second' } })] });
  await scene.fromCloud(push('delete', 'default/configmap/a', object('ConfigMap', 'a', 19)));
  await eventually(() => scene.acknowledged().length === 1);
  expect(scene.objects.shown('/core/v1/configmaps/default/a')?.metadata.uid).toBe('second');
});

it('[metamanager-11.7] an answer that was on its way while the object\'s end was pushed does not bring it back', async () => {
  await using scene = await openScene();
  // Another one of that name, whose end nobody told.
  await ask(scene, 'update', 'stored/objects', { objects: [object('ConfigMap', 'a', 10, { metadata: { uid: 'first' } })] });
  await scene.fromCloud(push('delete', 'default/configmap/a', object('ConfigMap', 'a', 19), { source: 'dynamiccontroller' }));
  await eventually(() => scene.acknowledged().length === 1);
  await ask(scene, 'update', 'stored/objects', { objects: [object('ConfigMap', 'a', 18), object('ConfigMap', 'b', 18)] });
  expect(scene.objects.allShown().map(({ object: { metadata } }) => metadata.name)).toEqual(['b']);
  // And a later one of that name stays.
  await scene.fromCloud(push('insert', 'default/configmap/a', object('ConfigMap', 'a', 30, { metadata: { uid: 'third', creationTimestamp: '2026-02-01T00:00:00Z' } })));
  await eventually(() => scene.acknowledged().length === 2);
  await ask(scene, 'update', 'stored/objects', { objects: [object('ConfigMap', 'a', 18), object('ConfigMap', 'a', 12, { metadata: { uid: 'second' } })] });
  expect(scene.objects.shown('/core/v1/configmaps/default/a')?.metadata.uid).toBe('third');
});

it('[metamanager-11.6] keeps documents of the cloud as upstream does, apart from objects', async () => {
  const store = createMemoryStore();
  await using scene = await openScene({ store });
  await ask(scene, 'update', 'stored/documents', { path: '/version', text: '{"major":"1"}' });
  await ask(scene, 'update', 'stored/objects', { objects: [object('ConfigMap', 'a', 5)] });
  expect((await ask(scene, 'get', 'stored/documents')).content).toEqual({ items: [{ path: '/version', text: '{"major":"1"}' }] });
  expect(store.table<MetaV2Row>(metaV2Table).get({ key: '/version' })).toEqual({ key: '/version', group_version_resource: '', namespace: '', name: '', resource_version: 0, value: '{"major":"1"}' });
  expect(names(await follow(scene))).toEqual(['a@5']);
  expect((await ask(scene, 'update', 'stored/documents', { path: 'x', text: '' })).route.operation).toBe('error');
});

it('[metamanager-11.8] shows a pod with the last status that the node has reported, as long as the cloud has not taken it over', async () => {
  await using scene = await openScene();
  const server = scene.running.bus.play('metaserver', 'metaserver');
  const status = (feed: FeedContent | undefined): unknown => (feed?.items[0]?.object as { status?: { phase?: string } } | undefined)?.status?.phase;
  const last = (): FeedContent | undefined => told(server.received).at(-1);
  const patch = (uid: string, phase: string): Promise<Message> => scene.tell({ operation: 'patch', resource: 'default/podpatch/web', content: JSON.stringify({ metadata: { uid }, status: { phase } }) });
  await scene.fromCloud(push('insert', 'default/pod/web', object('Pod', 'web', 5, { status: { phase: 'Pending' } })));
  await eventually(() => scene.objects.value('default/pod/web') !== undefined);
  expect((await follow(scene)).items).toMatchObject([{ object: { status: { phase: 'Pending' } } }]);
  await patch('uid-web', 'Running');
  await eventually(() => status(last()) === 'Running');
  const mark = last()?.items[0]?.local;
  expect([mark?.length, last()?.items[0]?.object?.metadata.resourceVersion]).toEqual([12, '5']);
  // Also for one who asks anew; what is stored is the cloud's.
  expect(status(await follow(scene))).toBe('Running');
  expect(scene.objects.shown('/core/v1/pods/default/web')).toMatchObject({ status: { phase: 'Pending' } });
  await scene.fromCloud(push('update', 'default/pod/web', object('Pod', 'web', 6, { status: { phase: 'Running' } })));
  await eventually(() => last()?.items[0]?.object?.metadata.resourceVersion === '6');
  expect([status(last()), last()?.items[0]?.local]).toEqual(['Running', undefined]);
  // A patch of another pod of that name, and one that is none.
  await patch('uid-old', 'Failed');
  await eventually(() => last()?.sequence !== undefined && scene.objects.value('default/podpatch/web')?.includes('uid-old') === true);
  expect(status(await follow(scene))).toBe('Running');
  await scene.tell({ operation: 'patch', resource: 'default/podpatch/web', content: 'no JSON' });
  await eventually(() => scene.objects.value('default/podpatch/web') === 'no JSON');
  expect(status(await follow(scene))).toBe('Running');
});

it('[metamanager-11.9] two modules follow each by itself, the mesh services and endpoints alone', async () => {
  await using scene = await openScene();
  const server = scene.running.bus.play('metaserver', 'metaserver');
  const mesh = scene.running.bus.play('edgemesh', 'mesh');
  await scene.fromCloud(push('insert', 'default/service/a', object('Service', 'a', 5)));
  await scene.fromCloud(push('insert', 'default/configmap/a', object('ConfigMap', 'a', 5)));
  await eventually(() => scene.objects.value('default/configmap/a') !== undefined);
  await settle();
  const question = createMessage({ source: 'edgemesh', group: 'meta', operation: 'get', resource: 'stored/objects', content: { prefixes: ['/core/v1/services/'] } });
  const first = (await scene.running.bus.bus.request({ group: 'meta' }, question, { timeoutMs: 30_000 })).content as FeedContent;
  expect(first.items.map(({ key }) => key)).toEqual(['/core/v1/services/default/a']);
  await follow(scene);
  await scene.fromCloud(push('insert', 'default/configmap/b', object('ConfigMap', 'b', 6)));
  await scene.fromCloud(push('insert', 'default/service/b', object('Service', 'b', 7)));
  await eventually(() => told(server.received).flatMap(names).includes('b@7'));
  await eventually(() => told(mesh.received).flatMap(names).includes('b@7'));
  expect([told(server.received).flatMap(names), told(mesh.received).flatMap(names)]).toEqual([['b@6', 'b@7'], ['b@7']]);
  expect(told(mesh.received).map(({ sequence }) => sequence)).toEqual([first.sequence + 1]);
});
