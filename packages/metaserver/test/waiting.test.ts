import { createMemoryStore } from '@edge/testing';
import { expect, it } from 'vitest';
import { FakeCloud } from './fake-cloud.js';
import { FakeMeta } from './fake-meta.js';
import { eventually, object, Scene, type Answer, type Json } from './scene.js';

const MAPS = '/api/v1/namespaces/default/configmaps';
const LIST = '/apis/edge.kubeedge.io/v1/waiting';
const WAIT = { 'Edge-Wait-For-Cloud': 'true' };
const MERGE = { ...WAIT, 'Content-Type': 'application/merge-patch+json' };

const items = async (scene: Scene): Promise<Json[]> => (await scene.call('GET', LIST)).json.items;
const phases = async (scene: Scene): Promise<string[]> => (await items(scene)).map(({ spec, status }) => `${spec.object.name} ${status.phase}`);
const over = (scene: Scene): Promise<void> => until(async () => (await phases(scene)).every((line) => !line.endsWith('Waiting')));
const numberOf = ({ headers }: Answer): number => Number(headers['edge-waiting']);

async function until(fits: () => Promise<boolean>): Promise<void> {
  let isDone = false;
  for (const end = Date.now() + 20_000; !isDone && Date.now() < end; ) isDone = await fits();
  expect(isDone).toBe(true);
}

it('[metaserver-33.1] a change waits for the cloud when its client asks for that, is answered with what it would make, and is made in order later', async () => {
  await using scene = await Scene.open({ connected: true });
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'there' }, data: { n: '0' } });
  await scene.inCloud('v1', 'configmaps', { metadata: { name: 'goes' } });
  await scene.call('GET', MAPS);
  scene.disconnect();
  const created = await scene.call('POST', MAPS, { metadata: { name: 'new' }, data: { a: '1' } }, WAIT);
  expect(created).toMatchObject({ code: 201, json: { kind: 'ConfigMap', metadata: { name: 'new', namespace: 'default' }, data: { a: '1' } }, headers: { warning: expect.stringContaining('waits for it as number 1') } });
  expect([numberOf(created), created.json.metadata.uid, created.json.metadata.resourceVersion]).toEqual([1, undefined, undefined]);
  for (const n of ['1', '2']) expect(await scene.call('PATCH', `${MAPS}/there`, { data: { n } }, MERGE)).toMatchObject({ code: 200, json: { data: { n } } });
  expect(await scene.call('DELETE', `${MAPS}/goes?edgeWaitForCloud=true`)).toMatchObject({ code: 200, json: { metadata: { name: 'goes' } } });
  // Nothing is shown as done that is not, and what is there already is refused at once.
  expect((await scene.call('GET', `${MAPS}/new`)).code).toBe(404);
  expect((await scene.call('POST', MAPS, { metadata: { name: 'there' } }, WAIT)).code).toBe(409);
  expect((await scene.call('PATCH', `${MAPS}/none`, { data: {} }, MERGE)).code).toBe(404);
  expect(await phases(scene)).toEqual(['new Waiting', 'there Waiting', 'there Waiting', 'goes Waiting']);
  expect((await items(scene))[0]).toMatchObject({ kind: 'WaitingChange', metadata: { name: '1' }, spec: { verb: 'create', object: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'new' } }, status: { tries: 0 } });
  expect(JSON.stringify(await items(scene))).not.toContain('"data"');

  scene.connect();
  await over(scene);
  expect(await phases(scene)).toEqual(['new Done', 'there Done', 'there Done', 'goes Done']);
  const inCloud = scene.cloud.api.resource<Json>('v1', 'configmaps');
  expect([inCloud.find('new', 'default')?.data, inCloud.find('there', 'default')?.data, inCloud.find('goes', 'default')]).toEqual([{ a: '1' }, { n: '2' }, undefined]);
  scene.disconnect();
  expect((await scene.call('GET', MAPS)).json.items.map(({ metadata }: Json) => metadata.name)).toEqual(['new', 'there']);
});

it('[metaserver-33.2] what waits survives the end of the agent; a change that had reached the cloud is not made twice', async () => {
  const store = createMemoryStore();
  const meta = new FakeMeta();
  const cloud = await FakeCloud.start(meta);
  {
    await using first = await Scene.open({ store, meta, cloud });
    await first.call('POST', MAPS, { metadata: { name: 'one' } }, WAIT);
    await first.call('POST', MAPS, { metadata: { name: 'two' } }, WAIT);
    // The cloud makes the first one, and the answer is lost with the link.
    cloud.beforeAnswer = () => first.disconnect();
    first.connect();
    await eventually(() => cloud.requests('create').length === 1);
    await until(async () => (await items(first))[0].status.message !== undefined);
    expect(await phases(first)).toEqual(['one Waiting', 'two Waiting']);
  }
  cloud.beforeAnswer = undefined;
  await using second = await Scene.open({ store, meta, cloud, connected: true });
  await over(second);
  expect(await phases(second)).toEqual(['one Done', 'two Done']);
  expect((await items(second))[0].status).toMatchObject({ tries: 2, message: expect.stringContaining('an earlier try had reached the cloud') });
  expect(cloud.api.resource('v1', 'configmaps').find('two', 'default')).toBeDefined();
  await cloud[Symbol.asyncDispose]();
});

it('[metaserver-33.3] what the cloud refuses is told and not tried again; what may pass holds up its own object alone', async () => {
  await using scene = await Scene.open({ connected: true });
  for (const name of ['a', 'b']) await scene.inCloud('v1', 'configmaps', { metadata: { name }, data: {} });
  const [a] = (await scene.call('GET', MAPS)).json.items;
  scene.disconnect();
  for (const n of ['1', '2']) await scene.call('PUT', `${MAPS}/a`, { metadata: { name: 'a', resourceVersion: a.metadata.resourceVersion }, data: { n } }, WAIT);
  for (const n of ['1', '2']) await scene.call('PATCH', `${MAPS}/b`, { data: { n } }, MERGE);
  await scene.call('POST', MAPS, { metadata: { name: 'c' } }, WAIT);
  const busy = { kind: 'Status', status: 'Failure', reason: 'TooManyRequests', message: 'busy', code: 429 };
  const forbidden = { kind: 'Status', status: 'Failure', reason: 'Forbidden', message: 'not you', code: 403 };
  let isBusy = true;
  scene.cloud.refuse = ({ Key, Verb }) => (Verb === 'patch' && Key.endsWith('/b') && isBusy ? busy : Verb === 'create' ? forbidden : undefined);
  scene.connect();
  await until(async () => (await phases(scene)).join() === 'a Done,a Refused,b Waiting,b Waiting,c Refused');
  // The second PUT named a version that the first one had made old.
  expect((await items(scene)).map(({ status }) => status.reason)).toEqual([undefined, 'Conflict', undefined, undefined, 'Forbidden']);
  expect(scene.running.lines.filter(({ message }) => message === 'a change that waited for the cloud was refused')).toHaveLength(2);
  expect(scene.cloud.requests('patch').filter((key) => key.endsWith('/b'))).toHaveLength(1);
  // Nobody overtakes what waits.
  expect(await scene.call('PATCH', `${MAPS}/b`, { data: { n: '9' } }, { 'Content-Type': 'application/merge-patch+json' })).toMatchObject({ code: 503, headers: { 'retry-after': '1' } });
  isBusy = false;
  await over(scene);
  expect(scene.cloud.api.resource<Json>('v1', 'configmaps').find('b', 'default')?.data).toEqual({ n: '2' });
  const creates = scene.cloud.requests('create').length;
  scene.disconnect();
  scene.connect();
  await scene.call('GET', MAPS);
  expect(scene.cloud.requests('create')).toHaveLength(creates);
});

it('[metaserver-33.4] what cannot be made later is refused with the reason; what waits is bounded, and can be given up', async () => {
  await using scene = await Scene.open({ objects: [object('ConfigMap', 'a', 1), object('Pod', 'p', 2)] });
  const refused = (why: string): object => ({ code: 503, json: { message: expect.stringContaining(why) } });
  expect(await scene.call('POST', MAPS, { metadata: { generateName: 'x-' } }, WAIT)).toMatchObject(refused('generateName'));
  expect(await scene.call('POST', `${MAPS}?dryRun=All`, { metadata: { name: 'x' } }, WAIT)).toMatchObject(refused('dry run'));
  expect(await scene.call('PATCH', '/api/v1/namespaces/default/pods/p/status', {}, MERGE)).toMatchObject(refused('pods/status'));
  expect(await scene.call('POST', '/apis/coordination.k8s.io/v1/namespaces/default/leases', { metadata: { name: 'x' } }, WAIT)).toMatchObject(refused('present moment'));
  expect(await scene.call('DELETE', MAPS, undefined, WAIT)).toMatchObject({ code: 503 });
  expect(await scene.call('POST', MAPS, { metadata: { name: 'x' } })).toMatchObject(refused('changes are made in the cloud'));
  expect(await items(scene)).toEqual([]);

  const big = 'x'.repeat(2_700_000);
  const codes: number[] = [];
  for (const name of ['m1', 'm2', 'm3', 'm4']) codes.push((await scene.call('POST', MAPS, { metadata: { name }, data: { big } }, WAIT)).code);
  expect(codes).toEqual([201, 201, 201, 503]);
  expect(await scene.call('DELETE', `${LIST}/2`)).toMatchObject({ code: 200, json: { metadata: { name: '2' } } });
  expect((await scene.call('DELETE', `${LIST}/2`)).code).toBe(404);
  expect((await scene.call('POST', MAPS, { metadata: { name: 'm4' }, data: { big } }, WAIT)).code).toBe(201);
  expect(await phases(scene)).toEqual(['m1 Waiting', 'm3 Waiting', 'm4 Waiting']);
});

it('[metaserver-33.5] a disk that takes nothing ends neither the API nor what waits, and what the cloud has made is not made again', async () => {
  const inner = createMemoryStore();
  let isFull = false;
  let refused = 0;
  const store = new Proxy(inner, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'commit') return (work: () => unknown) => (isFull ? (refused++, Promise.reject(new Error('no space left on device'))) : target.commit(work));
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
  await using scene = await Scene.open({ store });
  for (const name of ['one', 'two']) await scene.call('POST', MAPS, { metadata: { name } }, WAIT);
  // From the first answer on, so that its end cannot be written, nor the beginning of the second.
  scene.cloud.beforeAnswer = ({ Verb }) => void (isFull ||= Verb === 'create');
  scene.connect();
  await eventually(() => refused >= 2);
  const said = (): boolean => scene.running.lines.some(({ message }) => message.startsWith('what becomes of a change that waits cannot be written down'));
  await eventually(said);
  expect((await scene.call('GET', '/readyz')).code).toBe(200);
  expect(await phases(scene)).toEqual(['one Waiting', 'two Waiting']);
  scene.cloud.beforeAnswer = undefined;
  isFull = false;
  await over(scene);
  expect(await phases(scene)).toEqual(['one Done', 'two Done']);
  expect(scene.cloud.requests('create')).toHaveLength(2);
  expect((await items(scene))[0].status).toMatchObject({ tries: 1, code: 201 });
});
