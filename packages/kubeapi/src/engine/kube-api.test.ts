import { beforeEach, describe, expect, it } from 'vitest';
import { builtinResources } from '../builtin/resources.js';
import { forbidden, isApiError, type StatusReason } from '../errors.js';
import { ResourceRegistry } from '../resource/registry.js';
import { MemoryObjectStore } from '../store/memory-store.js';
import type { AdmissionHook } from '../types/hooks.js';
import type { DraftObject, KubeObject, WatchEvent } from '../types/object.js';
import { KubeApi } from './kube-api.js';

const failsWith = (reason: StatusReason): Error => expect.toSatisfy((error) => isApiError(error, reason)) as Error;
const POD = { group: '', version: 'v1', resource: 'pods', namespace: 'd' };
const pod = (name: string, spec: object = {}): DraftObject => ({ metadata: { name, namespace: 'd' }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } });
const deployment = (name: string, replicas: number): DraftObject => ({
  metadata: { name, namespace: 'd' },
  spec: { replicas, selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } },
});

let api: KubeApi;
async function start(hooks: AdmissionHook[] = []): Promise<void> {
  api = new KubeApi({ registry: new ResourceRegistry(builtinResources()), store: await MemoryObjectStore.open(), hooks, now: () => new Date('2026-11-22T10:00:00.5Z') });
}
beforeEach(() => start());

describe('create', () => {
  it('[kubeapi-5.1] fills in metadata and defaults, drops what a client must not set', async () => {
    const created = await api.create(POD, { ...pod('p'), status: { phase: 'Running' }, metadata: { name: 'p', uid: 'mine', deletionTimestamp: 'x', generation: 9, labels: { a: 'b' } } });
    expect(created).toMatchObject({
      apiVersion: 'v1', kind: 'Pod', status: { phase: 'Pending', qosClass: 'BestEffort' },
      metadata: { name: 'p', namespace: 'd', generation: 1, creationTimestamp: '2026-11-22T10:00:00Z', labels: { a: 'b' } },
      spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, containers: [{ imagePullPolicy: 'Always' }] },
    });
    expect(created.metadata.uid).not.toBe('mine');
    expect(created.metadata.deletionTimestamp).toBeUndefined();
  });

  it('[kubeapi-5.2] makes names from a prefix', async () => {
    const names = await Promise.all(Array.from({ length: 20 }, async () => (await api.create(POD, { ...pod(''), metadata: { generateName: 'web-' } })).metadata.name));
    expect(new Set(names).size).toBe(20);
    expect(names.every((name) => /^web-[a-z0-9]{5}$/.test(name))).toBe(true);
  });

  it.each([
    ['a second one of the same name', 'AlreadyExists', pod('there')],
    ['a name that is no DNS name', 'Invalid', pod('Not_A_Name')],
    ['no name at all', 'Invalid', { spec: pod('x').spec }],
    ['no containers', 'Invalid', pod('x', { containers: [] })],
    ['a mount without volume', 'Invalid', pod('x', { containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] })],
    ['another namespace than the path', 'BadRequest', { ...pod('x'), metadata: { name: 'x', namespace: 'other' } }],
    ['another kind than the path', 'BadRequest', { ...pod('x'), kind: 'Node' }],
    ['a resourceVersion', 'BadRequest', { ...pod('x'), metadata: { name: 'x', resourceVersion: '1' } }],
    ['labels that are no text', 'BadRequest', { ...pod('x'), metadata: { name: 'x', labels: { a: 1 } } }],
    ['a bad label value', 'Invalid', { ...pod('x'), metadata: { name: 'x', labels: { a: 'b c' } } }],
    ['a truth value for a name', 'BadRequest', pod('x', { nodeName: false })],
    ['an object for a list', 'BadRequest', pod('x', { containers: {} })],
    ['a list for an object', 'BadRequest', []],
    ['text for metadata', 'BadRequest', { metadata: 'x' }],
  ])('[kubeapi-5.3] refuses %s: %s', async (_what, reason, draft) => {
    await api.create(POD, pod('there'));
    await expect(api.create(POD, draft as DraftObject)).rejects.toThrowError(failsWith(reason as StatusReason));
  });

  it('[kubeapi-5.21] drops fields the kind does not have, with a warning, or refuses them when asked to be strict', async () => {
    const warnings: string[] = [];
    const draft = pod('p', { containers: [{ name: 'c', image: 'i', imagePolicy: 'x' }], node: 'n' });
    await expect(api.create(POD, draft, { fieldValidation: 'Strict' })).rejects.toThrowError(failsWith('BadRequest'));
    const created = await api.create(POD, draft, {}, { warn: (text) => warnings.push(text) });
    expect(warnings).toEqual(['unknown field "spec.containers[0].imagePolicy"', 'unknown field "spec.node"']);
    expect(created.spec).not.toHaveProperty('node');
    const secret = { metadata: { name: 's' }, stringData: { k: 'v' } };
    expect((await api.create({ ...POD, resource: 'secrets' }, secret, { fieldValidation: 'Strict' })).data).toEqual({ k: 'dg==' });
  });

  it('[kubeapi-5.4] writes nothing in a dry run', async () => {
    const shown = await api.create(POD, pod('p'), { dryRun: true });
    expect(shown.metadata.uid).not.toBe('');
    expect(api.resource('v1', 'pods').find('p', 'd')).toBeUndefined();
  });
});

describe('update', () => {
  it('[kubeapi-5.5] keeps status and spec apart: each write changes only its own part', async () => {
    const deployments = api.resource('apps/v1', 'deployments');
    await deployments.create(deployment('web', 1));
    await deployments.updateStatus({ ...deployment('web', 9), status: { replicas: 1 } });
    const after = await deployments.update({ ...deployment('web', 2), status: { replicas: 77 } });
    expect(after).toMatchObject({ spec: { replicas: 2 }, status: { replicas: 1 }, metadata: { generation: 2 } });
  });

  it('[kubeapi-5.6] raises generation for the desired state only', async () => {
    const deployments = api.resource('apps/v1', 'deployments');
    const generation = async (change: (d: KubeObject) => void): Promise<number | undefined> => (await deployments.modify('web', 'd', change))?.metadata.generation;
    await deployments.create(deployment('web', 1));
    expect(await generation((d) => { d.metadata.labels = { x: 'y' }; })).toBe(1);
    expect(await generation((d) => { (d.spec as { replicas: number }).replicas = 5; })).toBe(2);
    expect((await deployments.updateStatus({ ...deployment('web', 1), status: { readyReplicas: 3 } })).metadata.generation).toBe(2);
  });

  it('[kubeapi-5.7] writes nothing when nothing changed: the version stays', async () => {
    const pods = api.resource('v1', 'pods');
    const created = await pods.create(pod('p'));
    const again = await pods.update({ ...pod('p') });
    expect(again.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
  });

  it('[kubeapi-5.8] refuses an old version and a wrong uid, and changes of a pod that cannot be', async () => {
    const pods = api.resource('v1', 'pods');
    const first = await pods.create(pod('p'));
    await pods.modify('p', 'd', (p) => { p.metadata.labels = { a: 'b' }; });
    await expect(pods.update(first)).rejects.toThrowError(failsWith('Conflict'));
    await expect(pods.update({ ...pod('p'), metadata: { name: 'p', namespace: 'd', uid: 'other' } })).rejects.toThrowError(failsWith('Conflict'));
    await expect(pods.update(pod('p', { hostNetwork: true }))).rejects.toThrowError(failsWith('Invalid'));
    await expect(pods.update(pod('nope'))).rejects.toThrowError(failsWith('NotFound'));
    expect((await pods.update(pod('p', { containers: [{ name: 'c', image: 'new' }] }))).spec).toMatchObject({ containers: [{ image: 'new' }] });
  });

  it('[kubeapi-5.9] loses no change of many writers who patch and modify at once', async () => {
    const maps = api.resource('v1', 'configmaps');
    await maps.create({ metadata: { name: 'cm', namespace: 'd' } });
    await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 === 0
      ? maps.patch('cm', 'd', { type: 'merge', body: { data: { [`k${i}`]: 'v' } } })
      : maps.modify('cm', 'd', (cm) => { cm.data = { ...(cm.data as object | undefined), [`k${i}`]: 'v' }; }))));
    expect(Object.keys(maps.find('cm', 'd')?.data as object)).toHaveLength(40);
  });

  it('[kubeapi-5.10] patches status through the status subresource in strategic form', async () => {
    const nodes = api.resource('v1', 'nodes');
    await nodes.create({ metadata: { name: 'n' }, status: { conditions: [{ type: 'Ready', status: 'False' }, { type: 'DiskPressure', status: 'False' }] } });
    const body = { status: { $setElementOrder: undefined, '$setElementOrder/conditions': [{ type: 'Ready' }], conditions: [{ type: 'Ready', status: 'True' }] } };
    const patched = await nodes.patch('n', undefined, { type: 'strategic', body }, { subresource: 'status' });
    expect(patched.status).toEqual({ conditions: [{ type: 'Ready', status: 'True' }, { type: 'DiskPressure', status: 'False' }] });
  });

  it('[kubeapi-5.11] scales through the scale subresource', async () => {
    await api.create({ group: 'apps', version: 'v1', resource: 'deployments', namespace: 'd' }, deployment('web', 2));
    const ref = { group: 'apps', version: 'v1', resource: 'deployments', namespace: 'd', name: 'web', subresource: 'scale' };
    expect(await api.get(ref)).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 2 }, status: { replicas: 0, selector: 'a=b' } });
    expect((await api.patch(ref, { type: 'merge', body: { spec: { replicas: 7 } } })).object).toMatchObject({ spec: { replicas: 7 } });
    expect(await api.resource('apps/v1', 'deployments').get('web', 'd')).toMatchObject({ spec: { replicas: 7 }, metadata: { generation: 2 } });
    await expect(api.update(ref, { spec: { replicas: -1 } })).rejects.toThrowError(failsWith('Invalid'));
  });

  it('[kubeapi-5.12] applies: creates what is not there, merges what is, and notes the manager', async () => {
    const ref = { group: '', version: 'v1', resource: 'configmaps', namespace: 'd', name: 'cm' };
    const first = await api.patch(ref, { type: 'apply', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm' }, data: { a: '1' } } }, { fieldManager: 'me' });
    const second = await api.patch(ref, { type: 'apply', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm' }, data: { b: '2' } } }, { fieldManager: 'me' });
    expect([first.created, second.created, second.object.data]).toEqual([true, false, { a: '1', b: '2' }]);
    expect(second.object.metadata.managedFields).toMatchObject([{ manager: 'me', operation: 'Apply' }]);
  });
});

describe('delete', () => {
  it('[kubeapi-5.13] gives a scheduled pod its grace, lets it be shortened, and removes it at grace 0', async () => {
    const pods = api.resource('v1', 'pods');
    await pods.create(pod('p', { nodeName: 'n', terminationGracePeriodSeconds: 60 }));
    expect(await pods.delete('p', 'd')).toBe(false);
    expect(pods.find('p', 'd')?.metadata).toMatchObject({ deletionTimestamp: '2026-11-22T10:01:00Z', deletionGracePeriodSeconds: 60 });
    expect(await pods.delete('p', 'd', { gracePeriodSeconds: 90 })).toBe(false);
    expect(pods.find('p', 'd')?.metadata.deletionGracePeriodSeconds).toBe(60);
    await pods.delete('p', 'd', { gracePeriodSeconds: 5 });
    expect(pods.find('p', 'd')?.metadata).toMatchObject({ deletionTimestamp: '2026-11-22T10:00:05Z', deletionGracePeriodSeconds: 5 });
    expect(await pods.delete('p', 'd', { gracePeriodSeconds: 0 })).toBe(true);
    expect(pods.find('p', 'd')).toBeUndefined();
    expect(await pods.delete('p', 'd')).toBe(true);
  });

  it('[kubeapi-5.14] removes a pod without node and a finished pod at once', async () => {
    const pods = api.resource('v1', 'pods');
    await pods.create(pod('a'));
    await pods.create(pod('b', { nodeName: 'n' }));
    await pods.updateStatus({ ...pod('b'), status: { phase: 'Succeeded' } });
    expect([await pods.delete('a', 'd'), await pods.delete('b', 'd')]).toEqual([true, true]);
  });

  it('[kubeapi-5.15] keeps an object until its last finalizer is gone, and lets none be added', async () => {
    const maps = api.resource('v1', 'configmaps');
    await maps.create({ metadata: { name: 'cm', namespace: 'd', finalizers: ['x.io/a', 'x.io/b'] } });
    expect(await maps.delete('cm', 'd')).toBe(false);
    await maps.modify('cm', 'd', (cm) => { cm.metadata.finalizers = ['x.io/b']; });
    expect(maps.find('cm', 'd')).toBeDefined();
    await expect(maps.modify('cm', 'd', (cm) => { cm.metadata.finalizers = ['x.io/b', 'x.io/c']; })).rejects.toThrowError(failsWith('Invalid'));
    await maps.patch('cm', 'd', { type: 'merge', body: { metadata: { finalizers: null } } });
    expect(maps.find('cm', 'd')).toBeUndefined();
  });

  it('[kubeapi-5.16] checks preconditions and deletes collections by selector', async () => {
    const maps = api.resource('v1', 'configmaps');
    for (const name of ['a', 'b', 'c']) await maps.create({ metadata: { name, namespace: 'd', labels: { odd: String(name !== 'b') } } });
    await expect(maps.delete('a', 'd', { preconditions: { uid: 'other' } })).rejects.toThrowError(failsWith('Conflict'));
    await expect(maps.delete('a', 'd', { preconditions: { resourceVersion: '1' } })).rejects.toThrowError(failsWith('Conflict'));
    await api.deleteCollection({ group: '', version: 'v1', resource: 'configmaps', namespace: 'd' }, { labelSelector: 'odd=true' });
    expect((await maps.list()).items.map((cm) => cm.metadata.name)).toEqual(['b']);
  });
});

describe('list and watch', () => {
  it('[kubeapi-5.17] gives pages that together are the state of the first one, whatever happens meanwhile', async () => {
    const maps = api.resource('v1', 'configmaps');
    for (let i = 0; i < 25; i += 1) await maps.create({ metadata: { name: `cm${String(i).padStart(2, '0')}`, namespace: 'd' } });
    const first = await maps.list({ limit: 10 });
    expect(first.metadata.remainingItemCount).toBe(15);
    await maps.delete('cm15', 'd');
    await maps.create({ metadata: { name: 'cm05x', namespace: 'd' } });
    const second = await maps.list({ limit: 10, continue: first.metadata.continue ?? '' });
    const third = await maps.list({ limit: 10, continue: second.metadata.continue ?? '' });
    const names = [...first.items, ...second.items, ...third.items].map((cm) => cm.metadata.name);
    expect(names).toEqual(Array.from({ length: 25 }, (_, i) => `cm${String(i).padStart(2, '0')}`));
    expect(third.metadata.continue).toBeUndefined();
    await expect(maps.list({ continue: 'garbage' })).rejects.toThrowError(failsWith('BadRequest'));
  });

  it('[kubeapi-5.18] turns changes into ADDED and DELETED for a watcher with a selector', async () => {
    const pods = api.resource('v1', 'pods');
    const seen: string[] = [];
    const ref = { group: '', version: 'v1', resource: 'pods' };
    const handle = await api.watch(ref, { fieldSelector: 'spec.nodeName=n', resourceVersion: String(api.store.resourceVersion) }, (e) => seen.push(`${e.type} ${e.object.metadata.name}`));
    await pods.create(pod('p'));
    await pods.modify('p', 'd', (p) => { (p.spec as { nodeName: string }).nodeName = 'n'; });
    await pods.modify('p', 'd', (p) => { p.metadata.labels = { a: 'b' }; });
    await pods.create(pod('q', { nodeName: 'n' }));
    await pods.delete('p', 'd', { gracePeriodSeconds: 0 });
    handle.close();
    await pods.create(pod('r', { nodeName: 'n' }));
    expect(seen).toEqual(['ADDED p', 'MODIFIED p', 'ADDED q', 'DELETED p']);
  });

  it('[kubeapi-5.19] begins with what is there, marks its end when asked, and can be iterated until it is stopped', async () => {
    const maps = api.resource('v1', 'configmaps');
    await maps.create({ metadata: { name: 'a', namespace: 'd' } });
    const stop = new AbortController();
    const seen: WatchEvent[] = [];
    for await (const event of maps.watch({ sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowBookmarks: true, signal: stop.signal })) {
      seen.push(event);
      if (event.type === 'BOOKMARK') await maps.create({ metadata: { name: 'b', namespace: 'd' } });
      if (event.object.metadata.name === 'b') stop.abort();
    }
    expect(seen.map((e) => e.type)).toEqual(['ADDED', 'BOOKMARK', 'ADDED']);
    expect(seen[1]?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
  });
});

describe('admission', () => {
  it('[kubeapi-5.20] lets hooks change and refuse, for the resources, operations and subresources they name', async () => {
    const calls: string[] = [];
    await start([
      { name: 'default-account', resources: ['pods'], operations: ['create'], mutate: ({ object }) => { (object?.spec as Record<string, unknown>).serviceAccountName = 'default'; } },
      { name: 'no-bad', validate: (r) => { if (r.ref.name === 'bad') throw forbidden({ resource: 'pods', group: '', name: 'bad' }, 'it is bad'); } },
      { name: 'spy', subresources: ['status'], validate: (r) => { calls.push(`${r.operation} ${r.ref.subresource ?? '-'}`); } },
    ]);
    const pods = api.resource('v1', 'pods');
    expect(await pods.create(pod('p'))).toMatchObject({ spec: { serviceAccountName: 'default' } });
    await expect(pods.create(pod('bad'))).rejects.toThrowError(failsWith('Forbidden'));
    await pods.updateStatus({ ...pod('p'), status: { phase: 'Running' } });
    await pods.delete('p', 'd');
    expect(calls).toEqual(['create -', 'update status', 'delete -']);
  });
});
