import { metaTable, type MetaRow } from '@edge/protocol';
import { createMemoryStore } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { cloudAnswer, eventually, NOT_FOUND, object, openScene, push, settle } from './scene.js';

const configMap = (name: string, version: number) => object('ConfigMap', name, version, { data: { version: String(version) } });

async function storeWith(rows: MetaRow[]) {
  const store = createMemoryStore();
  const meta = store.table<MetaRow>(metaTable);
  await store.commit(() => rows.forEach((row) => meta.put(row)));
  return store;
}

describe('queries', () => {
  it('[metamanager-2.1] for pods and nodes are answered from the database, with or without a cloud', async () => {
    const rows = [
      { key: 'a/pod/p1', type: 'pod', value: JSON.stringify(object('Pod', 'p1', 1)) },
      { key: 'b/pod/p2', type: 'pod', value: JSON.stringify(object('Pod', 'p2', 1)) },
      { key: 'b/pod/broken', type: 'pod', value: '{"ErrStatus":{}}' },
      { key: 'null/node/edge-1', type: 'node', value: JSON.stringify(object('Node', 'edge-1', 1)) },
    ];
    await using scene = await openScene({ store: await storeWith(rows), connected: true });
    const list = await scene.ask({ operation: 'query', resource: 'default/pod' });
    expect(list.route).toMatchObject({ source: 'metamanager', operation: 'response' });
    expect(list.content).toEqual([rows[0]?.value, rows[1]?.value]);
    expect((await scene.ask({ operation: 'query', resource: 'null/node/edge-1' })).content).toEqual([rows[3]?.value]);
    expect((await scene.ask({ operation: 'query', resource: 'a/pod/none' })).content).toEqual([]);
    expect(scene.hub.received).toEqual([]);
    expect(scene.running.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('[metamanager-2.2] for a ConfigMap go to the cloud once; the answer is stored, acknowledged and relayed', async () => {
    const store = createMemoryStore();
    await using scene = await openScene({ store, connected: true, cloud: () => configMap('cm', 7) });
    const first = await scene.ask({ operation: 'query', resource: 'default/configmap/cm' });
    expect(first.content).toEqual(configMap('cm', 7));
    expect(first.route).toMatchObject({ source: 'edgecontroller', operation: 'response', resource: 'default/configmap/cm' });
    const second = await scene.ask({ operation: 'query', resource: 'default/configmap/cm' });
    expect((second.content as string[]).map((text) => JSON.parse(text))).toEqual([configMap('cm', 7)]);
    const asked = scene.hub.received.filter(({ route }) => route.operation === 'query');
    expect(asked.map(({ route }) => route)).toEqual([{ source: 'edged', group: 'meta', operation: 'query', resource: 'default/configmap/cm' }]);
    expect(scene.acknowledged()).toHaveLength(1);
  });

  it('[metamanager-2.3] are answered only after what the cloud said is committed', async () => {
    const store = createMemoryStore();
    await using scene = await openScene({ store, connected: true, cloud: () => configMap('cm', 7) });
    store.hold();
    let answered = false;
    const asked = scene.ask({ operation: 'query', resource: 'default/configmap/cm' }).then(() => (answered = true));
    await scene.hub.next(({ route }) => route.operation === 'query');
    await settle();
    expect([answered, scene.acknowledged().length]).toEqual([false, 0]);
    store.release();
    await asked;
    expect(scene.acknowledged()).toHaveLength(1);
  });

  it('[metamanager-2.4] whose answer is an error relay it and store nothing', async () => {
    const failures: unknown[] = [NOT_FOUND, {}, { ErrStatus: { status: 'Failure', message: 'forbidden', code: 403 } }, 'text', null];
    for (const content of failures) {
      await using scene = await openScene({ connected: true, cloud: (message) => cloudAnswer(message, content) });
      const answer = await scene.ask({ operation: 'query', resource: 'default/secret/s' });
      expect(answer.content).toEqual(content);
      expect(scene.objects.value('default/secret/s')).toBeUndefined();
    }
  });

  it('[metamanager-2.5] offline are answered from the database, or with an error that says why not', async () => {
    await using scene = await openScene();
    await scene.objects.upsert({ path: { namespace: 'default', type: 'persistentvolumeclaim', name: 'pvc' }, object: object('PersistentVolumeClaim', 'pvc', 1), origin: 'push' });
    const known = await scene.ask({ operation: 'query', resource: 'default/persistentvolumeclaim/pvc' });
    expect(known.content).toHaveLength(1);
    const unknown = await scene.ask({ operation: 'query', resource: 'default/configmap/none' });
    expect(unknown.route).toMatchObject({ source: 'metamanager', operation: 'error' });
    expect(unknown.content).toBe('query default/configmap/none needs the cloud: the node is not connected to the cloud');
  });

  it('[metamanager-2.6] fall back to the database when the link breaks or the cloud is silent', async () => {
    await using scene = await openScene({ connected: true, config: { remoteQueryTimeout: 0.05 }, cloud: (message) => (message.route.resource.includes('broken') ? { ...cloudAnswer(message, 'connection lost'), route: { ...message.route, operation: 'error' } } : undefined) });
    for (const name of ['broken', 'silent']) {
      const path = { namespace: 'null', type: 'persistentvolume', name };
      await scene.objects.upsert({ path, object: object('PersistentVolume', name, 1), origin: 'push' });
      expect((await scene.ask({ operation: 'query', resource: `null/persistentvolume/${name}` })).content).toHaveLength(1);
      expect((await scene.ask({ operation: 'query', resource: `null/persistentvolume/no-${name}` })).route.operation).toBe('error');
    }
  });

  it('[metamanager-2.7] never wait for one another, nor do pushes, even of the object that is asked for', async () => {
    await using scene = await openScene({ connected: true, cloud: (message) => (message.route.resource.endsWith('/slow') ? undefined : configMap('quick', 1)) });
    void scene.ask({ operation: 'query', resource: 'default/configmap/slow' }).catch(() => undefined);
    const question = await scene.hub.next(({ route }) => route.resource.endsWith('/slow'));
    expect((await scene.ask({ operation: 'query', resource: 'default/configmap/quick' })).content).toEqual(configMap('quick', 1));
    const newer = push('update', 'default/configmap/slow', configMap('slow', 9));
    await scene.fromCloud(newer);
    await eventually(() => scene.acknowledged().includes(newer.header.id));
    // The answer was made before the push; the asker gets what is newer.
    const asker = scene.ask({ operation: 'query', resource: 'default/configmap/slow' });
    await scene.fromCloud(cloudAnswer(question, configMap('slow', 8)));
    expect((await asker).content).toMatchObject([expect.stringContaining('"resourceVersion":"9"')]);
    expect(scene.objects.identity({ namespace: 'default', type: 'configmap', name: 'slow' })?.resourceVersion).toBe('9');
  });

  it('[metamanager-2.8] for one object that come together share one question', async () => {
    await using scene = await openScene({ connected: true, cloud: async () => (await settle(), configMap('cm', 1)) });
    await Promise.all(Array.from({ length: 5 }, () => scene.ask({ operation: 'query', resource: 'default/configmap/cm' })));
    expect(scene.hub.received.filter(({ route }) => route.operation === 'query')).toHaveLength(1);
  });

  it('[metamanager-2.9] pass over an error that upstream stored as an object, and repair the row', async () => {
    const store = await storeWith([{ key: 'default/secret/s', type: 'secret', value: '{"ErrStatus":{"code":404}}' }]);
    await using scene = await openScene({ store, connected: true, cloud: () => object('Secret', 's', 3, { data: {} }) });
    expect((await scene.ask({ operation: 'query', resource: 'default/secret/s' })).content).toMatchObject({ metadata: { resourceVersion: '3' } });
    expect(scene.objects.value('default/secret/s')).toContain('"resourceVersion":"3"');
  });

  it('[metamanager-2.10] for the cluster CA store the text as it is and serve it offline', async () => {
    await using scene = await openScene({ connected: true, cloud: () => 'PEM' });
    expect((await scene.ask({ operation: 'query', resource: 'k8s/ca.crt' })).content).toBe('PEM');
    expect(scene.acknowledged()).toEqual([]);
    scene.disconnect();
    expect((await scene.ask({ operation: 'query', resource: 'k8s/ca.crt' })).content).toEqual(['PEM']);
  });

  it('[metamanager-2.12] are answered by a push of the object that is asked for: CloudHub keeps one message per object, a newer one replaces the answer', async () => {
    await using scene = await openScene({ connected: true, cloud: () => undefined });
    const asker = scene.ask({ operation: 'query', resource: 'default/configmap/cm' });
    const question = await scene.hub.next(({ route }) => route.operation === 'query');
    await scene.fromCloud(push('update', 'default/configmap/other', configMap('other', 3)));
    await scene.fromCloud(push('update', 'default/configmap/cm', configMap('cm', 9)));
    expect((await asker).content).toMatchObject([expect.stringContaining('"resourceVersion":"9"')]);
    // An answer that comes all the same is taken and acknowledged as ever.
    const late = cloudAnswer(question, configMap('cm', 10));
    await scene.fromCloud(late);
    await eventually(() => scene.acknowledged().includes(late.header.id));
    expect(scene.objects.identity({ namespace: 'default', type: 'configmap', name: 'cm' })?.resourceVersion).toBe('10');
  });

  it('[metamanager-2.11] of what is gone in the cloud take the row along', async () => {
    await using scene = await openScene({ connected: true, cloud: () => NOT_FOUND });
    const path = { namespace: 'null', type: 'persistentvolume', name: 'pv' };
    await scene.objects.upsert({ path, object: object('PersistentVolume', 'pv', 1), origin: 'push' });
    await scene.ask({ operation: 'query', resource: 'null/persistentvolume/pv' });
    expect(scene.objects.identity(path)).toBeUndefined();
  });
});
