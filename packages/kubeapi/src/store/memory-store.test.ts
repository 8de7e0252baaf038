import { describe, expect, it } from 'vitest';
import { isApiError, type StatusReason } from '../errors.js';
import type { KubeObject } from '../types/object.js';
import type { Change, ObjectKey, Persistence, StoreEvent } from '../types/store.js';
import { builtinResources } from '../builtin/resources.js';
import { KubeApi } from '../engine/kube-api.js';
import { ResourceRegistry } from '../resource/registry.js';
import { MemoryObjectStore } from './memory-store.js';

const key = (name: string, namespace = 'd', resource = 'pods'): ObjectKey => ({ resource, namespace, name });
const object = (name: string, value = 0): KubeObject => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'd', uid: name, resourceVersion: '', creationTimestamp: '' }, value,
});
const failsWith = (reason: StatusReason): unknown => expect.toSatisfy((error) => isApiError(error, reason));
const gate = (): { promise: Promise<void>; open: () => void } => {
  let open: () => void = () => undefined;
  return { promise: new Promise<void>((resolve) => { open = resolve; }), open: () => open() };
};

describe('MemoryObjectStore', () => {
  it('[kubeapi-2.1] gives every write a higher version and refuses writes that expect an old one', async () => {
    const store = await MemoryObjectStore.open();
    const a = await store.create(key('a'), object('a'));
    await store.create(key('b'), object('b'));
    const a2 = await store.update(key('a'), object('a', 1), a.metadata.resourceVersion);
    expect(Number(a2.metadata.resourceVersion)).toBe(store.resourceVersion);
    await expect(store.update(key('a'), object('a', 2), a.metadata.resourceVersion)).rejects.toThrowError(failsWith('Conflict') as Error);
    await expect(store.create(key('a'), object('a'))).rejects.toThrowError(failsWith('AlreadyExists') as Error);
    await expect(store.remove(key('x'), '1')).rejects.toThrowError(failsWith('NotFound') as Error);
    const gone = await store.remove(key('a'), a2.metadata.resourceVersion);
    expect(Number(gone.metadata.resourceVersion)).toBeGreaterThan(Number(a2.metadata.resourceVersion));
    expect(store.get(key('a'))).toBeUndefined();
    expect(store.get(key('b'))?.metadata.name).toBe('b');
  });

  it('[kubeapi-2.2] lists in order of namespace and name, one namespace without its neighbours', async () => {
    const store = await MemoryObjectStore.open();
    for (const [ns, name] of [['b', 'x'], ['a', 'z'], ['a', 'a'], ['a-b', 'c'], ['ab', 'd']] as const) await store.create(key(name, ns), object(name));
    expect(store.list({ resource: 'pods', namespace: 'a' }).items.map((o) => o.metadata.name)).toEqual(['a', 'z']);
    expect(store.list({ resource: 'pods' }).items).toHaveLength(5);
    expect(store.list({ resource: 'nodes' }).items).toEqual([]);
  });

  it('[kubeapi-2.3] shows the state as it was at an earlier version', async () => {
    const store = await MemoryObjectStore.open();
    const a = await store.create(key('a'), object('a', 1));
    const before = store.resourceVersion;
    await store.update(key('a'), object('a', 2), a.metadata.resourceVersion);
    await store.create(key('b'), object('b'));
    await store.remove(key('a'), store.get(key('a'))?.metadata.resourceVersion ?? '');
    expect(store.list({ resource: 'pods', atVersion: before }).items.map((o) => [o.metadata.name, o.value])).toEqual([['a', 1]]);
    expect(() => store.list({ resource: 'pods', atVersion: store.resourceVersion + 1 })).toThrowError(failsWith('Timeout') as Error);
  });

  it('[kubeapi-2.4] delivers what came after a version exactly once and in order, then what comes', async () => {
    const store = await MemoryObjectStore.open();
    const a = await store.create(key('a'), object('a'));
    const from = store.resourceVersion;
    await store.update(key('a'), object('a', 1), a.metadata.resourceVersion);
    await store.create(key('n', '', 'nodes'), object('n'));
    const seen: StoreEvent[] = [];
    const stop = store.watch({ resource: 'pods', after: from }, (event) => seen.push(event));
    await store.create(key('b', 'other'), object('b'));
    stop();
    await store.create(key('c'), object('c'));
    expect(seen.map((e) => [e.type, e.key.name])).toEqual([['modified', 'a'], ['added', 'b']]);
    expect(seen[0]?.previous?.value).toBe(0);
  });

  it('[kubeapi-2.5] says Expired when history no longer reaches back, per resource', async () => {
    const store = await MemoryObjectStore.open({ historyLimit: 5 });
    await store.create(key('quiet', '', 'nodes'), object('quiet'));
    const early = store.resourceVersion;
    for (let i = 0; i < 20; i += 1) await store.create(key(`p${i}`), object(`p${i}`));
    expect(() => store.watch({ resource: 'pods', after: early }, () => undefined)).toThrowError(failsWith('Expired') as Error);
    expect(() => store.list({ resource: 'pods', atVersion: early })).toThrowError(failsWith('Expired') as Error);
    expect(() => store.watch({ resource: 'nodes', after: early }, () => undefined)).not.toThrow();
    expect(() => store.watch({ resource: 'pods', after: 10_000 }, () => undefined)).toThrowError(failsWith('Expired') as Error);
  });

  it('[kubeapi-2.6] shows and announces nothing before it is durable', async () => {
    const door = gate();
    const persistence: Persistence = { load: () => ({ resourceVersion: 7, objects: [] }), commit: () => door.promise };
    const store = await MemoryObjectStore.open({ persistence });
    const seen: string[] = [];
    store.watch({ resource: 'pods', after: 7 }, (event) => seen.push(event.key.name));
    const write = store.create(key('a'), object('a'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([store.get(key('a')), seen, store.resourceVersion]).toEqual([undefined, [], 7]);
    door.open();
    await write;
    expect([store.get(key('a'))?.metadata.resourceVersion, seen]).toEqual(['8', ['a']]);
  });

  it('[kubeapi-2.7] puts writes that arrive together into one commit and keeps their order', async () => {
    const batches: Change[][] = [];
    const persistence: Persistence = { load: () => ({ resourceVersion: 1, objects: [] }), commit: (changes) => void batches.push([...changes]) };
    const store = await MemoryObjectStore.open({ persistence });
    await Promise.all(Array.from({ length: 50 }, (_, i) => store.create(key(`p${i}`), object(`p${i}`))));
    expect(batches).toHaveLength(1);
    expect(batches[0]?.map((c) => c.resourceVersion)).toEqual(Array.from({ length: 50 }, (_, i) => i + 2));
  });

  it('[kubeapi-2.8] fails a batch as a whole when it cannot be made durable and goes on afterwards', async () => {
    let broken = true;
    const persistence: Persistence = { load: () => ({ resourceVersion: 1, objects: [] }), commit: () => { if (broken) throw new Error('disk full'); } };
    const store = await MemoryObjectStore.open({ persistence });
    const results = await Promise.allSettled([store.create(key('a'), object('a')), store.create(key('b'), object('b'))]);
    expect(results.map((r) => r.status)).toEqual(['rejected', 'rejected']);
    expect(store.list({ resource: 'pods' }).items).toEqual([]);
    broken = false;
    await store.create(key('a'), object('a'));
    expect(store.get(key('a'))).toBeDefined();
  });

  it('[kubeapi-2.9] checks versions against writes under way, and refuses only when those are visible', async () => {
    const door = gate();
    const persistence: Persistence = { load: () => ({ resourceVersion: 1, objects: [{ key: key('a'), object: { ...object('a'), metadata: { ...object('a').metadata, resourceVersion: '1' } } }] }), commit: () => door.promise };
    const store = await MemoryObjectStore.open({ persistence });
    const first = store.update(key('a'), object('a', 1), '1');
    const second = store.update(key('a'), object('a', 2), '1').catch((error: unknown) => ({ error, seen: store.get(key('a'))?.value }));
    door.open();
    await first;
    expect(await second).toMatchObject({ error: { reason: 'Conflict' }, seen: 1 });
  });

  it('[kubeapi-2.10] comes back from its persistence with objects and version, history beginning anew', async () => {
    const kept = new Map<string, { key: ObjectKey; object: KubeObject }>();
    let version = 0;
    const persistence: Persistence = {
      load: () => ({ resourceVersion: version, objects: kept.values() }),
      commit: (changes) => {
        for (const change of changes) {
          version = change.resourceVersion;
          if (change.object === undefined) kept.delete(change.key.name);
          else kept.set(change.key.name, { key: change.key, object: structuredClone(change.object) });
        }
      },
    };
    const one = await MemoryObjectStore.open({ persistence });
    const a = await one.create(key('a'), object('a', 1));
    const b = await one.create(key('b'), object('b', 2));
    await one.remove(key('b'), b.metadata.resourceVersion);
    const two = await MemoryObjectStore.open({ persistence });
    expect(two.resourceVersion).toBe(one.resourceVersion);
    expect(two.get(key('a'))).toEqual(a);
    expect(two.get(key('b'))).toBeUndefined();
    expect(() => two.watch({ resource: 'pods', after: Number(a.metadata.resourceVersion) }, () => undefined)).toThrowError(failsWith('Expired') as Error);
    expect(() => two.watch({ resource: 'pods', after: two.resourceVersion }, () => undefined)).not.toThrow();
  });
});

it('[kubeapi-2.12] resumes watches where history before the start is known, and says 410 where it is not enough', async () => {
  const at = (name: string, version: number, labels: Record<string, string> = {}): KubeObject => ({
    apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'n', uid: name, resourceVersion: String(version), creationTimestamp: '', labels },
  });
  const key = (name: string): { resource: string; namespace: string; name: string } => ({ resource: 'configmaps', namespace: 'n', name });
  const store = await MemoryObjectStore.open({
    persistence: {
      load: () => ({
        resourceVersion: 20,
        objects: [{ key: key('a'), object: at('a', 11) }, { key: key('b'), object: at('b', 14) }],
        history: { after: 10, changes: [
          { key: key('a'), resourceVersion: 11, createdVersion: 4, gone: false, object: at('a', 11) },
          { key: key('b'), resourceVersion: 14, createdVersion: 12, gone: false, object: at('b', 14) },
          { key: key('c'), resourceVersion: 15, createdVersion: 9, gone: true, object: at('c', 15) },
          { key: key('d'), resourceVersion: 17, createdVersion: 16, gone: true, object: at('d', 17) },
        ] },
      }),
      commit: () => undefined,
    },
  });
  const seen: string[] = [];
  store.watch({ resource: 'configmaps', after: 11 }, ({ type, key: { name } }) => seen.push(`${type} ${name}`));
  await store.update(key('a'), at('a', 0), '11');
  expect(seen).toEqual(['added b', 'deleted c', 'modified a']);
  // Who knew b, and was there when d came.
  const later: string[] = [];
  store.watch({ resource: 'configmaps', after: 13 }, ({ type, key: { name } }) => later.push(`${type} ${name}`));
  expect(later).toEqual(['modified b', 'deleted c', 'modified a']);
  const last: string[] = [];
  store.watch({ resource: 'configmaps', after: 16 }, ({ type, key: { name } }) => last.push(`${type} ${name}`));
  expect(last).toEqual(['deleted d', 'modified a']);
  expect(() => store.watch({ resource: 'configmaps', after: 9 }, () => undefined)).toThrow(/too old|410|9/);
  // Pages of before the start cannot be shown again.
  expect(() => store.list({ resource: 'configmaps', atVersion: 12 })).toThrow();
  expect(store.list({ resource: 'configmaps', atVersion: 20 }).items.map(({ metadata }) => metadata.resourceVersion)).toEqual(['11', '14']);

  const api = new KubeApi({ registry: new ResourceRegistry(builtinResources()), store });
  const ref = { group: '', version: 'v1', resource: 'configmaps' };
  const types: string[] = [];
  await api.watch(ref, { resourceVersion: '13' }, ({ type }) => types.push(type));
  expect(types).toEqual(['MODIFIED', 'DELETED', 'MODIFIED']);
  await expect(api.watch(ref, { resourceVersion: '13', labelSelector: 'x=y' }, () => undefined)).rejects.toMatchObject({ reason: 'Expired' });
  await api.watch(ref, { resourceVersion: '20', labelSelector: 'x=y' }, () => undefined);
});
