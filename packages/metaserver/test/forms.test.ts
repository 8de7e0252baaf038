import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { brief, eventually, object, Scene, type Event } from './scene.js';

const MAPS = '/api/v1/namespaces/default/configmaps';
const names = (json: { items: readonly { metadata: { name: string } }[] }): string[] => json.items.map(({ metadata }) => metadata.name);

it('[metaserver-3.6] watches begin with a list and mark its end, over HTTP, the old prefix and WebSocket, for one object or all', async () => {
  await using scene = await Scene.open({ objects: [object('ConfigMap', 'a', 1), object('ConfigMap', 'b', 2)] });
  const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const list = await scene.watch(`${MAPS}?${query}`);
  await eventually(() => list.events.length === 3);
  expect(list.events.map(({ type }) => type)).toEqual(['ADDED', 'ADDED', 'BOOKMARK']);
  expect(list.events[2]?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
  const one = await scene.watch(`${MAPS}/b?watch=true`);
  const old = await scene.watch('/api/v1/watch/namespaces/default/configmaps');
  const socket = new WebSocket(`ws://127.0.0.1:${scene.port}${MAPS}?watch=1&fieldSelector=metadata.name%21%3Da`);
  const messages: Event[] = [];
  socket.on('message', (text: Buffer) => void messages.push(JSON.parse(text.toString('utf8')) as Event));
  await once(socket, 'open');
  await eventually(() => one.events.length === 1 && old.events.length === 2 && messages.length === 1);
  scene.meta.put(object('ConfigMap', 'a', 10), object('ConfigMap', 'c', 11));
  scene.meta.remove(object('ConfigMap', 'b', 2));
  await eventually(() => messages.length === 3 && one.events.length === 2 && old.events.length === 5 && list.events.length === 6);
  expect(brief(messages)).toEqual(['ADDED b', 'ADDED c', 'DELETED b']);
  expect(brief(one.events)).toEqual(['ADDED b', 'DELETED b']);
  expect(brief(list.events.slice(3))).toEqual(['MODIFIED a', 'ADDED c', 'DELETED b']);
  socket.close();
  for (const watch of [list, one, old]) watch.close();
});

it('[metaserver-3.7] reads follow the rules for versions, forms, encodings and selectors of an API server', async () => {
  const pods = ['p', 'q'].map((name, i) => object('Pod', name, 3 + i, { spec: { nodeName: `n${i}`, serviceAccountName: 's' }, status: { phase: i === 0 ? 'Running' : 'Failed', podIP: `10.0.0.${i}` } }));
  await using scene = await Scene.open({ objects: [object('ConfigMap', 'a', 1, { data: { text: 'x'.repeat(200_000) } }), object('ConfigMap', 'b', 2), ...pods] });
  const get = (path: string, headers: Record<string, string> = {}): ReturnType<typeof scene.call> => scene.call('GET', path, undefined, headers);
  const { json: list } = await get(MAPS);
  const version = list.metadata.resourceVersion as string;
  scene.meta.put(object('ConfigMap', 'c', 20));
  for (let i = 0; i < 2_000 && names((await get(MAPS)).json).length < 3; i += 1);
  expect(names((await get(`${MAPS}?resourceVersion=${version}&resourceVersionMatch=Exact`)).json)).toEqual(['a', 'b']);
  expect(names((await get(`${MAPS}?resourceVersion=${version}&resourceVersionMatch=NotOlderThan`)).json)).toEqual(['a', 'b', 'c']);
  expect((await get(`${MAPS}?resourceVersionMatch=Exact`)).code).toBe(400);
  expect((await get(`${MAPS}?resourceVersion=999999999999999&resourceVersionMatch=NotOlderThan`)).json).toMatchObject({ code: 504, details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } });
  expect((await get(MAPS, { Accept: 'application/vnd.kubernetes.protobuf,application/json' })).json.kind).toBe('ConfigMapList');
  expect((await get(MAPS, { Accept: 'application/vnd.kubernetes.protobuf' })).json).toMatchObject({ kind: 'Status', code: 406 });
  for (const [selector, expected] of [['spec.nodeName=n0', ['p']], ['status.phase!=Running', ['q']], ['status.podIP=10.0.0.1', ['q']], ['metadata.name=p,status.phase=Running', ['p']], ['spec.serviceAccountName=s', ['p', 'q']]] as const) {
    expect(names((await get(`/api/v1/pods?fieldSelector=${encodeURIComponent(selector)}`)).json), selector).toEqual(expected);
  }
  const zipped = await scene.open('GET', MAPS, undefined, { 'Accept-Encoding': 'gzip' });
  expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip' });
  const chunks: Buffer[] = [];
  for await (const chunk of zipped as AsyncIterable<Buffer>) chunks.push(chunk);
  expect(gunzipSync(Buffer.concat(chunks)).toString()).toBe((await get(MAPS)).text);
  expect((await get(`${MAPS}/b?pretty=1`)).text).toContain('\n  "kind"');
  expect((await scene.call('HEAD', `${MAPS}/b`))).toMatchObject({ code: 200, text: '' });
  const aggregated = await get('/apis', { Accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json' });
  expect(aggregated.json.kind).toBe('APIGroupDiscoveryList');
});
