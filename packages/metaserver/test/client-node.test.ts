import type { ApiException} from '@kubernetes/client-node';
import { CoreV1Api, KubeConfig, KubernetesObjectApi, makeInformer, PatchStrategy, setHeaderOptions, Watch, type Informer, type ObjectCache, type V1ConfigMap } from '@kubernetes/client-node';
import { createMemoryStore } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { FakeCloud } from './fake-cloud.js';
import { FakeMeta } from './fake-meta.js';
import { Front } from './front.js';
import { eventually, Scene } from './scene.js';

const MAPS = '/api/v1/namespaces/default/configmaps';

function configFor(port: number): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'node', server: `http://127.0.0.1:${port}`, skipTLSVerify: true }, { name: 'me' });
  return config;
}

/** The code and words of a refusal. */
const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(() => 'no refusal', (error: ApiException<{ message?: string } | string>) => {
    const body = (typeof error.body === 'string' ? JSON.parse(error.body) : error.body) as { message?: string };
    return `${error.code} ${String(body.message)}`;
  });

/** An informer as its documentation has it, begun anew after an error, and what it told. */
function follow(config: KubeConfig, labelSelector?: string): { informer: Informer<V1ConfigMap> & ObjectCache<V1ConfigMap>; told: string[]; errors: string[] } {
  const api = config.makeApiClient(CoreV1Api);
  const informer = makeInformer<V1ConfigMap>(config, MAPS, () => api.listNamespacedConfigMap({ namespace: 'default', ...(labelSelector === undefined ? {} : { labelSelector }) }), labelSelector);
  const told: string[] = [];
  const errors: string[] = [];
  for (const verb of ['add', 'update', 'delete'] as const) informer.on(verb, ({ metadata, data }) => told.push(`${verb} ${metadata?.name} ${data?.['n'] ?? ''}`.trim()));
  informer.on('error', (error: Error) => {
    errors.push(String(error));
    setTimeout(() => void informer.start(), 50);
  });
  return { informer, told, errors };
}

describe('@kubernetes/client-node', () => {
  it('[metaserver-17.1] reads, changes and watches; without the cloud it reads on and is told why it cannot change', async () => {
    await using scene = await Scene.open({ connected: true });
    const config = configFor(scene.port);
    const api = config.makeApiClient(CoreV1Api);
    const metadata = { name: 'made', namespace: 'default' };
    await api.createNamespacedConfigMap({ namespace: 'default', body: { metadata, data: { n: '1' } } });
    const made = await api.readNamespacedConfigMap(metadata);
    await api.replaceNamespacedConfigMap({ ...metadata, body: { ...made, data: { n: '2' } } });
    expect(await refusal(api.replaceNamespacedConfigMap({ ...metadata, body: { ...made, data: { n: '3' } } }))).toMatch(/^409 .*is not the newest/);
    await api.patchNamespacedConfigMap({ ...metadata, body: [{ op: 'add', path: '/data/m', value: '1' }] }, setHeaderOptions('Content-Type', PatchStrategy.JsonPatch));
    await api.patchNamespacedConfigMap({ ...metadata, body: { data: { n: '4' } } }, setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch));
    expect(await scene.cloud.api.resource('v1', 'configmaps').get('made', 'default')).toMatchObject({ data: { n: '4', m: '1' } });
    // By discovery alone.
    const any = KubernetesObjectApi.makeApiClient(config);
    await any.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other', namespace: 'default' } });
    const first = await api.listNamespacedConfigMap({ namespace: 'default', limit: 1 });
    const second = await api.listNamespacedConfigMap({ namespace: 'default', limit: 1, _continue: first.metadata?._continue ?? '' });
    expect([...first.items, ...second.items].map((item) => item.metadata?.name)).toEqual(['made', 'other']);
    await api.deleteNamespacedConfigMap({ name: 'other', namespace: 'default' });
    expect(await refusal(api.readNamespacedConfigMap({ name: 'other', namespace: 'default' }))).toBe('404 configmaps "other" not found');

    scene.disconnect();
    expect((await api.listConfigMapForAllNamespaces()).items.map((item) => item.metadata?.name)).toEqual(['made']);
    expect(await any.read({ apiVersion: 'v1', kind: 'ConfigMap', metadata })).toMatchObject({ data: { n: '4' } });
    expect(await refusal(api.deleteNamespacedConfigMap(metadata))).toBe('503 changes are made in the cloud: the node is not connected to the cloud');
    const events: string[] = [];
    let end: unknown = 'not yet';
    const stop = await new Watch(config).watch(MAPS, { resourceVersion: '0', timeoutSeconds: 1 }, (type: string, object: V1ConfigMap) => events.push(`${type} ${object.metadata?.name}`), (error: unknown) => (end = error));
    await eventually(() => end === null);
    stop.abort();
    expect(events).toEqual(['ADDED made']);
  });

  it('[metaserver-17.2] its informers see each change once, over cuts of the link, restarts of the cloud and of the agent, and of a store that was lost', async () => {
    const meta = new FakeMeta();
    await using cloud = await FakeCloud.start(meta);
    const store = createMemoryStore();
    let scene = await Scene.open({ connected: true, meta, cloud, store });
    await using front = await Front.start(() => scene.port);
    const maps = cloud.api.resource('v1', 'configmaps');
    const put = (name: string, n: string, tier = 'edge'): Promise<unknown> => maps.create({ metadata: { name, namespace: 'default', labels: { tier } }, data: { n } });
    const change = (name: string, n: string): Promise<unknown> => maps.modify(name, 'default', (copy) => { copy['data'] = { n }; });
    await put('a', '1');
    await put('b', '1', 'far');
    const all = follow(configFor(front.port));
    const some = follow(configFor(front.port), 'tier=edge');
    const both = async (...told: string[]): Promise<void> => {
      const selected = told.filter((line) => !line.includes(' b '));
      await eventually(() => all.told.length >= told.length && some.told.length >= selected.length);
      // In no order across objects: what a list shows comes in that of names.
      expect([...all.told.splice(0)].sort()).toEqual([...told].sort());
      expect([...some.told.splice(0)].sort()).toEqual(selected.sort());
    };
    try {
      await Promise.all([all.informer.start(), some.informer.start()]);
      await both('add a 1', 'add b 1');
      await change('a', '2');
      await change('b', '2');
      await both('update a 2', 'update b 2');
      // A cut and a cloud that has forgotten its listeners.
      scene.disconnect();
      cloud.forget();
      await change('a', '3');
      await maps.delete('b', 'default');
      await put('c', '3');
      scene.connect();
      await both('update a 3', 'delete b 2', 'add c 3');
      // A restart of the agent, and changes while it is away.
      await scene.running.stop();
      cloud.isConnected = false;
      await change('c', '4');
      scene = await Scene.open({ connected: true, meta, cloud, store });
      await both('update c 4');
      // A restart without the cloud changes nothing.
      await scene.running.stop();
      scene = await Scene.open({ connected: false, meta, cloud, store });
      await put('d', '5');
      scene.connect();
      await both('add d 5');
      // The store is lost: versions begin anew, so the informers have to list.
      await scene.running.stop();
      meta.objects.clear();
      await maps.delete('a', 'default');
      scene = await Scene.open({ connected: true, meta, cloud });
      await eventually(() => [all, some].every(({ informer }) => informer.list('default').map(({ metadata }) => metadata?.name).sort().join() === 'c,d'));
      expect(all.told.filter((line) => line.startsWith('delete') || line.startsWith('add'))).toEqual(['delete a 3']);
    } finally {
      await Promise.all([all.informer.stop(), some.informer.stop()]);
      await scene.running.stop();
    }
  });
});
