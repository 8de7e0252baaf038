import { expect, it } from 'vitest';
import { eventually, object, Scene, type Json } from './scene.js';

const DEVICES = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices';
const THERMO = `${DEVICES}/thermo`;
const KEADM = { 'User-Agent': 'keadm/v1.23.1 (linux/amd64) kubernetes/0000000' };
const NODE = 'edge-node';

const spec = (desired: string, nodeName = NODE): object => ({ nodeName, properties: [{ name: 'temperature', desired: { value: desired } }] });
const device = (name: string, version: number, desired: string, nodeName = NODE): ReturnType<typeof object> => object('Device', name, version, { apiVersion: 'devices.kubeedge.io/v1beta1', spec: spec(desired, nodeName) });
const desiredOf = (it: Json): unknown => it.spec.properties[0].desired.value;
const open = (over: Parameters<typeof Scene.open>[0] = {}): Promise<Scene> => Scene.open({ node: NODE, objects: [device('thermo', 7, '20'), device('far', 8, '20', 'another-node')], ...over });

/** The cloud has a device that the node has not read yet. */
async function openWithCloud(name: string): Promise<Scene> {
  const scene = await Scene.open({ node: NODE, connected: true });
  scene.cloud.api.registry.register({ group: 'devices.kubeedge.io', version: 'v1beta1', plural: 'devices', singular: 'device', kind: 'Device', namespaced: true, verbs: ['create', 'get', 'list', 'patch', 'update', 'watch'] });
  await scene.inCloud('devices.kubeedge.io/v1beta1', 'devices', { metadata: { name }, spec: spec('20') } as never);
  return scene;
}

it('[metaserver-34.1] keadm changes a device on the node alone, with and without the cloud, by the message that upstream sends, and watches see it', async () => {
  for (const connected of [false, true]) {
    await using scene = connected ? await openWithCloud('thermo') : await open();
    const read = (await scene.call('GET', THERMO, undefined, KEADM)).json;
    const { resourceVersion } = (await scene.call('GET', DEVICES)).json.metadata;
    const watch = await scene.watch(`${DEVICES}?watch=true&resourceVersion=${resourceVersion}`);
    const cloudVersion = [...scene.meta.objects.values()].find(({ metadata }) => metadata.name === 'thermo')?.metadata.resourceVersion;
    const answer = await scene.call('PUT', THERMO, { ...read, spec: spec('31') }, KEADM);
    expect([answer.code, answer.text, answer.headers['content-type']]).toEqual([200, 'OK', 'text/plain; charset=utf-8']);
    expect(scene.meta.edits).toMatchObject([{ route: { source: 'metamanager', group: 'twin', operation: 'update', resource: 'default/device/updated' }, content: { kind: 'Device', metadata: { name: 'thermo', uid: read.metadata.uid, resourceVersion: cloudVersion } } }]);
    // The reader's own version counts from the answer on.
    const after = (await scene.call('GET', THERMO)).json;
    expect([desiredOf(after), Number(after.metadata.resourceVersion) > Number(read.metadata.resourceVersion)]).toEqual(['31', true]);
    await eventually(() => watch.events.length > 0);
    expect(watch.events.map(({ type, object: seen }) => `${type} ${String(desiredOf(seen))}`)).toEqual(['MODIFIED 31']);
    expect([...scene.cloud.requests('update'), ...scene.cloud.requests('patch')]).toEqual([]);
    // Made of what is no more.
    expect(await scene.call('PUT', THERMO, { ...read, spec: spec('40') }, KEADM)).toMatchObject({ code: 409 });
    watch.close();
  }
});

it('[metaserver-34.2] without the cloud everybody changes devices of this node so, with a warning; with it a change is the cloud\'s', async () => {
  await using scene = await open();
  const read = (await scene.call('GET', THERMO)).json;
  const put = await scene.call('PUT', THERMO, { ...read, spec: spec('31') });
  expect(put).toMatchObject({ code: 200, headers: { warning: expect.stringContaining('changed on this node alone') as unknown } });
  expect(desiredOf(put.json)).toBe('31');
  const patched = await scene.call('PATCH', THERMO, { spec: spec('32') }, { 'Content-Type': 'application/merge-patch+json' });
  expect([patched.code, desiredOf(patched.json), desiredOf((await scene.call('GET', THERMO)).json)]).toEqual([200, '32', '32']);
  // A dry run changes nothing.
  expect(desiredOf((await scene.call('PUT', `${THERMO}?dryRun=All`, { ...patched.json, spec: spec('33') })).json)).toBe('33');
  expect(scene.meta.edits).toHaveLength(2);
  // Who wants to wait for the cloud waits; other devices and parts of a device are the cloud's alone.
  expect((await scene.call('PUT', THERMO, { ...patched.json, spec: spec('34') }, { 'Edge-Wait-For-Cloud': 'true' })).headers['edge-waiting']).toBe('1');
  const far = (await scene.call('GET', `${DEVICES}/far`)).json;
  expect(await scene.call('PUT', `${DEVICES}/far`, { ...far, spec: spec('31', 'another-node') })).toMatchObject({ code: 503 });
  expect(await scene.call('DELETE', `${DEVICES}/far`)).toMatchObject({ code: 503 });
  expect(scene.meta.edits).toHaveLength(2);
  await using online = await openWithCloud('new');
  const there = (await online.call('GET', `${DEVICES}/new`)).json;
  const changed = await online.call('PUT', `${DEVICES}/new`, { ...there, spec: spec('31') });
  expect([changed.code, changed.headers.warning, online.meta.edits]).toEqual([200, undefined, []]);
  const inCloud = await online.cloud.api.get({ group: 'devices.kubeedge.io', version: 'v1beta1', resource: 'devices', namespace: 'default', name: 'new' });
  expect(desiredOf(inCloud)).toBe('31');
});

it('[metaserver-34.3] the cloud\'s next state goes over a change on the node, and what cannot be changed here is said', async () => {
  await using scene = await open();
  await scene.call('PUT', THERMO, { spec: spec('31') }, KEADM);
  scene.meta.put(device('thermo', 9, '22') as never);
  await eventually(() => [...scene.meta.objects.values()].some(({ metadata }) => metadata.resourceVersion === '9'));
  await expect.poll(async () => desiredOf((await scene.call('GET', THERMO)).json), { timeout: 20_000 }).toBe('22');
  const edits = scene.meta.edits.length;
  for (const [path, body, code, words] of [
    [`${DEVICES}/none`, { spec: spec('1') }, 404, 'not found'],
    [`${DEVICES}/far`, { spec: spec('1', 'another-node') }, 400, 'belongs to node \\"another-node\\"'],
    [THERMO, { spec: spec('1', 'another-node') }, 400, 'it must stay \\"edge-node\\"'],
    [THERMO, '{"spec"', 400, 'must be a Device in JSON'],
    [THERMO, { metadata: { name: 'other' }, spec: spec('1') }, 400, 'other'],
    [THERMO, '7', 400, ''],
  ] as const) {
    const answer = await scene.call('PUT', path, body, KEADM);
    expect([answer.code, answer.text]).toEqual([code, expect.stringContaining(words)]);
  }
  expect(scene.meta.edits).toHaveLength(edits);
  scene.meta.editFails = 'the disk is full';
  expect(await scene.call('PUT', THERMO, { spec: spec('1') }, KEADM)).toMatchObject({ code: 503, json: { message: expect.stringContaining('the disk is full') as unknown } });
  expect(desiredOf((await scene.call('GET', THERMO)).json)).toBe('22');
});
