import { expect, it } from 'vitest';
import { createMemoryStore } from '@edge/testing';
import { FakeCloud } from './fake-cloud.js';
import { FakeMeta } from './fake-meta.js';
import { brief, eventually, Scene, type Json } from './scene.js';

/** Recorded from client-go 0.32 with the settings and the calls of CoreDNS' plugin `kubernetes`: typed clients that want Protobuf, and one for metadata alone. */
const TYPED = { 'Accept': 'application/vnd.kubernetes.protobuf, */*', 'Accept-Encoding': 'gzip', 'User-Agent': 'coredns' };
const metadataOnly = (kind: string): Record<string, string> => ({
  ...TYPED, Accept: `application/vnd.kubernetes.protobuf;as=${kind};g=meta.k8s.io;v=v1,application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`,
});
const NOT_ENDED = 'fieldSelector=status.phase%21%3DFailed%2Cstatus.phase%21%3DSucceeded%2Cstatus.phase%21%3DUnknown&';
const COLLECTIONS = [
  { kind: 'Service', path: '/api/v1/services', fields: '', list: TYPED, watch: TYPED },
  { kind: 'EndpointSlice', path: '/apis/discovery.k8s.io/v1/endpointslices', fields: '', list: TYPED, watch: TYPED },
  { kind: 'Pod', path: '/api/v1/pods', fields: NOT_ENDED, list: TYPED, watch: TYPED },
  { kind: 'PartialObjectMetadata', path: '/api/v1/namespaces', fields: '', list: metadataOnly('PartialObjectMetadataList'), watch: metadataOnly('PartialObjectMetadata') },
] as const;

type Following = Awaited<ReturnType<Scene['watch']>>;

/** What CoreDNS does when it starts. Its answers come as JSON, which its decoder picks by the Content-Type. */
async function start(scene: Scene): Promise<{ readonly listed: string[]; readonly watches: Following[] }> {
  const version = await scene.call('GET', '/version', undefined, TYPED);
  expect(Number(version.json.minor.replace('+', ''))).toBeGreaterThan(18);
  const group = await scene.call('GET', '/apis/discovery.k8s.io/v1', undefined, TYPED);
  expect(group).toMatchObject({ code: 200, json: { kind: 'APIResourceList' } });
  expect(group.headers['content-type']).toBe('application/json');
  const listed: string[] = [];
  const watches: Following[] = [];
  for (const { kind, path, fields, list, watch } of COLLECTIONS) {
    const answer = await scene.call('GET', `${path}?${fields}limit=500&resourceVersion=0`, undefined, list);
    expect(answer, path).toMatchObject({ code: 200, json: { kind: `${kind}List` } });
    expect(answer.headers['content-type'], path).toMatch(/^application\/json/);
    listed.push(...(answer.json.items as Json[]).map(({ metadata }) => `${path.split('/').at(-1)} ${metadata.name}`));
    const { resourceVersion } = answer.json.metadata;
    watches.push(await scene.watch(`${path}?allowWatchBookmarks=true&${fields}resourceVersion=${resourceVersion}&timeout=7m30s&timeoutSeconds=450&watch=true`, watch));
  }
  return { listed, watches };
}

it('[metaserver-18.1] what CoreDNS asks is answered as it needs it, changes come, and it starts without the cloud as well', async () => {
  const meta = new FakeMeta();
  await using cloud = await FakeCloud.start(meta);
  const store = createMemoryStore();
  const ready = { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }], ports: [{ name: 'http', port: 80 }] };
  const slices = cloud.api.resource('discovery.k8s.io/v1', 'endpointslices');
  {
    await using scene = await Scene.open({ connected: true, meta, cloud, store });
    await scene.inCloud('v1', 'services', { metadata: { name: 'web' }, spec: { clusterIP: 'None', ports: [{ name: 'http', port: 80 }] } });
    await scene.inCloud('discovery.k8s.io/v1', 'endpointslices', { metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } }, ...ready });
    for (const [name, phase] of [['web', 'Running'], ['done', 'Succeeded']] as const) {
      await scene.inCloud('v1', 'pods', { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } });
      await cloud.api.resource('v1', 'pods').modify(name, 'default', (pod) => { pod['status'] = { phase, podIP: '10.0.0.1' }; }, { subresource: 'status' });
    }
    const { listed, watches } = await start(scene);
    expect(listed).toEqual(['services web', 'endpointslices web-1', 'pods web', 'namespaces default']);
    const [services, endpoints, pods, namespaces] = watches as [Following, Following, Following, Following];
    await eventually(() => cloud.listeners.size === 4);
    await scene.inCloud('v1', 'services', { metadata: { name: 'db' }, spec: { clusterIP: 'None', ports: [{ port: 5432 }] } });
    await slices.modify('web-1', 'default', (slice) => { slice['endpoints'] = [{ addresses: ['10.0.0.2'], conditions: { ready: true } }]; });
    // A pod that ends leaves the selection.
    await cloud.api.resource('v1', 'pods').modify('web', 'default', (pod) => { pod['status'] = { phase: 'Failed' }; }, { subresource: 'status' });
    await cloud.api.resource('v1', 'namespaces').create({ metadata: { name: 'extra' } });
    await eventually(() => watches.every(({ events }) => events.length > 0));
    expect([services, endpoints, pods, namespaces].map(({ events }) => brief(events))).toEqual([['ADDED db'], ['MODIFIED web-1'], ['DELETED web'], ['ADDED extra']]);
    expect(endpoints.events[0]?.object.endpoints[0].addresses).toEqual(['10.0.0.2']);
    expect(namespaces.events[0]?.object).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' });
    for (const watch of watches) watch.close();
  }
  // The node starts without the cloud.
  await using scene = await Scene.open({ connected: false, meta, cloud, store });
  const { listed, watches } = await start(scene);
  expect(listed).toEqual(['services db', 'services web', 'endpointslices web-1', 'namespaces default', 'namespaces extra']);
  await slices.modify('web-1', 'default', (slice) => { slice['endpoints'] = []; });
  scene.connect();
  await eventually(() => (watches[1] as Following).events.length === 1);
  expect(brief((watches[1] as Following).events)).toEqual(['MODIFIED web-1']);
  for (const watch of watches) watch.close();
});

it('[metaserver-18.2] a client-go that streams its lists gets all that there is, the end of it, and what comes after', async () => {
  await using scene = await Scene.open({ connected: true });
  for (const name of ['a', 'b']) await scene.inCloud('v1', 'services', { metadata: { name }, spec: { ports: [{ port: 80 }] } });
  const watch = await scene.watch('/api/v1/services?allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeout=5m0s&timeoutSeconds=300&watch=true', TYPED);
  await eventually(() => watch.events.length === 3);
  expect(watch.events.map(({ type }) => type)).toEqual(['ADDED', 'ADDED', 'BOOKMARK']);
  expect(watch.events[2]?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
  await scene.inCloud('v1', 'services', { metadata: { name: 'c' }, spec: { ports: [{ port: 80 }] } });
  await eventually(() => watch.events.length === 4);
  expect(brief(watch.events.slice(3))).toEqual(['ADDED c']);
  watch.close();
});
