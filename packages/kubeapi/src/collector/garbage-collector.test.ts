import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtinResources } from '../builtin/resources.js';
import { KubeApi } from '../engine/kube-api.js';
import { ResourceRegistry } from '../resource/registry.js';
import { MemoryObjectStore } from '../store/memory-store.js';
import type { DraftObject, KubeObject } from '../types/object.js';
import type { ResourceClient } from '../types/client.js';
import { GarbageCollector } from './garbage-collector.js';

let api: KubeApi;
let collector: GarbageCollector;
let errors: unknown[];
let maps: ResourceClient;
beforeEach(async () => {
  errors = [];
  api = new KubeApi({ registry: new ResourceRegistry(builtinResources()), store: await MemoryObjectStore.open(), garbageCollection: true });
  maps = api.resource('v1', 'configmaps');
  collector = new GarbageCollector({ api, onError: (error) => errors.push(error) });
  collector.start();
});
afterEach(async () => {
  await collector.stop();
  expect(errors).toEqual([]);
});

const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
};
const owner = (object: KubeObject, more: object = {}): object => ({ apiVersion: 'v1', kind: 'ConfigMap', name: object.metadata.name, uid: object.metadata.uid, ...more });
const map = (name: string, owners: object[] = [], more: object = {}): DraftObject => ({ metadata: { name, namespace: 'd', ...(owners.length > 0 ? { ownerReferences: owners } : {}), ...more } } as DraftObject);
const names = async (): Promise<string[]> => (await maps.list()).items.map((item) => item.metadata.name);

describe('GarbageCollector', () => {
  it('[kubeapi-9.1] deletes what an object owned, all the way down, and nothing else', async () => {
    const a = await maps.create(map('a'));
    const b = await maps.create(map('b', [owner(a)]));
    await maps.create(map('c', [owner(b)]));
    await maps.create(map('other'));
    await maps.create(map('foreign', [{ apiVersion: 'unknown.io/v1', kind: 'Thing', name: 't', uid: 'u' }]));
    await maps.delete('a', 'd');
    await settled();
    expect(await names()).toEqual(['foreign', 'other']);
  });

  it('[kubeapi-9.2] keeps what has another owner and makes it forget the one that is gone', async () => {
    const [a, b] = [await maps.create(map('a')), await maps.create(map('b'))];
    await maps.create(map('c', [owner(a), owner(b)]));
    await maps.delete('a', 'd');
    await settled();
    expect((await maps.get('c', 'd')).metadata.ownerReferences?.map((o) => o.name)).toEqual(['b']);
  });

  it('[kubeapi-9.3] lets dependents go first in foreground, and stay when orphaned', async () => {
    const a = await maps.create(map('a'));
    await maps.create(map('b', [owner(a, { blockOwnerDeletion: true })], { finalizers: ['x.io/wait'] }));
    expect(await maps.delete('a', 'd', { propagationPolicy: 'Foreground' })).toBe(false);
    await settled();
    expect((await maps.get('a', 'd')).metadata.finalizers).toEqual(['foregroundDeletion']);
    expect((await maps.get('b', 'd')).metadata.deletionTimestamp).toBeDefined();
    await maps.modify('b', 'd', (b) => { b.metadata.finalizers = (b.metadata.finalizers ?? []).filter((f) => f !== 'x.io/wait'); });
    await settled();
    expect(await names()).toEqual([]);

    const x = await maps.create(map('x'));
    await maps.create(map('y', [owner(x)]));
    await maps.delete('x', 'd', { propagationPolicy: 'Orphan' });
    await settled();
    expect(await names()).toEqual(['y']);
    expect((await maps.get('y', 'd')).metadata.ownerReferences).toBeUndefined();
  });

  it('[kubeapi-9.4] takes up at start what was left over', async () => {
    const a = await maps.create(map('a'));
    await maps.create(map('b', [owner(a)]));
    await collector.stop();
    await maps.delete('a', 'd');
    collector = new GarbageCollector({ api });
    collector.start();
    await settled();
    expect(await names()).toEqual([]);
  });

  it('[kubeapi-9.5] empties a namespace, waits for what takes its time, then lets it go', async () => {
    const namespaces = api.resource('v1', 'namespaces');
    const pods = api.resource('v1', 'pods');
    await namespaces.create({ metadata: { name: 'd' } });
    await maps.create(map('a'));
    await pods.create({ metadata: { name: 'p', namespace: 'd' }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } });
    expect(await namespaces.delete('d')).toBe(false);
    await settled();
    expect(await names()).toEqual([]);
    expect(await namespaces.get('d')).toMatchObject({ status: { phase: 'Terminating' }, spec: { finalizers: ['kubernetes'] } });
    await pods.delete('p', 'd', { gracePeriodSeconds: 0 });
    await settled();
    expect(namespaces.find('d')).toBeUndefined();
  });
});
