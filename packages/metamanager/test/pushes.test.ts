import { createMemoryStore } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { object, openScene, push, settle, eventually } from './scene.js';
import { storeAsUpstream, storedTokenKeys, tokenRequest } from './token-scene.js';

const pod = (version: number, over: Record<string, unknown> = {}) => object('Pod', 'p', version, { spec: { nodeName: 'edge-1' }, ...over });

describe('pushes', () => {
  it('[metamanager-1.1] are acknowledged and passed on only after the commit', async () => {
    const store = createMemoryStore();
    await using scene = await openScene({ store });
    store.hold();
    const message = push('insert', 'default/pod/p', pod(5));
    await scene.fromCloud(message);
    await settle();
    expect(scene.hub.received).toEqual([]);
    expect(scene.edged.received).toEqual([]);
    store.release();
    await eventually(() => scene.edged.received.length === 1 && scene.acknowledged().length === 1);
    expect(scene.acknowledged()).toEqual([message.header.id]);
    expect(scene.edged.received).toEqual([message]);
    expect(scene.hub.received[0]?.route).toEqual({ source: 'edgecontroller', group: 'resource', operation: 'response', resource: 'default/pod/p' });
  });

  it('[metamanager-1.2] whose commit fails are refused, not acknowledged, and stored when they come again', async () => {
    const store = createMemoryStore();
    await using scene = await openScene({ store });
    store.failNext(new Error('disk full'));
    const message = push('insert', 'default/pod/p', pod(5));
    await scene.fromCloud(message);
    const refusal = await scene.hub.next(({ route }) => route.operation === 'error');
    expect(refusal.route.source).toBe('metamanager');
    expect(refusal.header.parentId).toBe(message.header.id);
    expect(refusal.content).toContain('disk full');
    expect(scene.acknowledged()).toEqual([]);
    expect(scene.edged.received).toEqual([]);
    await scene.fromCloud(message);
    await eventually(() => scene.acknowledged().length === 1);
    expect(scene.objects.value('default/pod/p')).toBeDefined();
  });

  it('[metamanager-1.3] that come twice or late are acknowledged each time, and the newest state stays', async () => {
    await using scene = await openScene();
    const [older, newer] = [push('update', 'default/pod/p', pod(9)), push('update', 'default/pod/p', pod(10))];
    for (const message of [newer, older, newer, older]) await scene.fromCloud(message);
    await eventually(() => scene.acknowledged().length === 4);
    expect(scene.acknowledged()).toEqual([newer, older, newer, older].map(({ header }) => header.id));
    expect(JSON.parse(scene.objects.value('default/pod/p') ?? '')).toMatchObject({ metadata: { resourceVersion: '10' } });
    expect(scene.edged.received).toEqual([newer, newer]);
  });

  it('[metamanager-1.4] keep both tables', async () => {
    await using scene = await openScene();
    await scene.fromCloud(push('update', 'default/configmap/cm', object('ConfigMap', 'cm', 7, { data: { b: '1', a: '<' } })));
    await eventually(() => scene.acknowledged().length === 1);
    expect(scene.objects.value('default/configmap/cm')).toBe(
      '{"apiVersion":"v1","data":{"a":"\\u003c","b":"1"},"kind":"ConfigMap","metadata":{"creationTimestamp":"2026-01-01T00:00:00Z","name":"cm","namespace":"default","resourceVersion":"7","uid":"uid-cm"}}',
    );
    const v2 = scene.store.table<Record<string, never>>((await import('@edge/protocol')).metaV2Table as never).all();
    expect(v2).toMatchObject([{ key: '/core/v1/configmaps/default/cm', group_version_resource: '/v1, Resource=configmaps', resource_version: 7 }]);
    expect(v2[0]?.['value']).toBe(`${scene.objects.value('default/configmap/cm')}\n`);
    await scene.fromCloud(push('delete', 'default/configmap/cm', { metadata: { name: 'cm', namespace: 'default', uid: 'uid-cm' } }));
    await eventually(() => scene.acknowledged().length === 2);
    expect(scene.objects.value('default/configmap/cm')).toBeUndefined();
    expect(scene.store.table<Record<string, never>>((await import('@edge/protocol')).metaV2Table as never).count()).toBe(0);
  });

  it('[metamanager-1.5] without kind and apiVersion are passed on with both', async () => {
    await using scene = await openScene();
    const { kind: _kind, apiVersion: _apiVersion, ...bare } = pod(3);
    await scene.fromCloud(push('update', 'default/pod/p', bare));
    const passed = await scene.edged.next(() => true);
    expect(passed.content).toMatchObject({ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p' } });
  });

  it('[metamanager-1.6] of a delete take the row, its patch and its tokens, by uid', async () => {
    const store = createMemoryStore();
    const token = '"default"/"default"/[]string{"edge"}/600/v1.BoundObjectReference{Kind:"Pod", APIVersion:"v1", Name:"p", UID:"uid-p"}';
    await storeAsUpstream(store, token, tokenRequest('t', 600_000, { uid: 'uid-p' }));
    await storeAsUpstream(store, token.replace('uid-p', 'uid-q'), tokenRequest('t', 600_000, { uid: 'uid-q' }));
    await using scene = await openScene({ store });
    await scene.fromCloud(push('insert', 'default/pod/p', pod(1)));
    await scene.objects.putValue('default/podpatch/p', 'podpatch', '{}');
    expect(storedTokenKeys(store)).toHaveLength(2);
    const stranger = push('delete', 'default/pod/p', { metadata: { name: 'p', namespace: 'default', uid: 'other' } });
    const own = push('delete', 'default/pod/p', { metadata: { name: 'p', namespace: 'default', uid: 'uid-p' } });
    await scene.fromCloud(stranger);
    await eventually(() => scene.acknowledged().includes(stranger.header.id));
    expect(scene.objects.value('default/pod/p')).toBeDefined();
    await scene.fromCloud(own);
    await eventually(() => scene.acknowledged().includes(own.header.id));
    expect(['default/pod/p', 'default/podpatch/p'].map((key) => scene.objects.value(key))).toEqual([undefined, undefined]);
    expect(storedTokenKeys(store)).toEqual([token.replace('uid-p', 'uid-q')]);
    expect(scene.edged.received.map(({ route }) => route.operation)).toEqual(['insert', 'delete', 'delete']);
  });

  it('[metamanager-1.7] of a deleted pod that come late do not bring it back; a new pod of that name may come', async () => {
    await using scene = await openScene();
    const late = push('update', 'default/pod/p', pod(2));
    await scene.fromCloud(push('insert', 'default/pod/p', pod(1)));
    await scene.fromCloud(push('delete', 'default/pod/p', pod(3)));
    await scene.fromCloud(late);
    await eventually(() => scene.acknowledged().length === 3);
    expect(scene.objects.value('default/pod/p')).toBeUndefined();
    expect(scene.edged.received).not.toContain(late);
    await scene.fromCloud(push('insert', 'default/pod/p', pod(4, { metadata: { uid: 'uid-new', creationTimestamp: '2026-01-02T00:00:00Z' } })));
    await eventually(() => scene.acknowledged().length === 4);
    expect(scene.objects.object({ namespace: 'default', type: 'pod', name: 'p' })?.metadata.uid).toBe('uid-new');
  });

  it('[metamanager-1.8] go to the device twin, to nobody, or to edged, by what they are', async () => {
    await using scene = await openScene({ twin: true });
    const device = push('insert', 'default/device/d', { ...object('Device', 'd', 1), apiVersion: 'devices.kubeedge.io/v1beta1' }, { source: 'devicecontroller' });
    await scene.fromCloud(device);
    await scene.fromCloud(push('insert', 'default/serviceaccountaccess/s', object('ServiceAccountAccess', 's', 1), { source: 'policycontroller' }));
    await scene.fromCloud(push('update', 'null/node/edge-1', object('Node', 'edge-1', 1)));
    await scene.fromCloud(push('insert', 'default/gizmo/g', { ...object('Gizmo', 'g', 1), apiVersion: 'example.org/v1' }, { source: 'dynamiccontroller' }));
    await eventually(() => scene.acknowledged().length === 4);
    expect(scene.twin?.received).toEqual([{ ...device, route: { ...device.route, source: 'meta', group: 'twin' } }]);
    expect(scene.edged.received.map(({ route }) => route.resource)).toEqual(['default/gizmo/g']);
    expect(scene.hub.received.find(({ route }) => route.resource === 'default/device/d')?.route).toMatchObject({ source: 'meta', group: 'twin' });
    for (const key of ['default/device/d', 'default/serviceaccountaccess/s', 'null/node/edge-1', 'default/gizmo/g']) {
      expect(scene.objects.value(key)).toBeDefined();
    }
  });

  it('[metamanager-1.9] that nobody can ever store are acknowledged and set aside, so that they block nothing', async () => {
    await using scene = await openScene();
    const hopeless = [
      push('insert', 'default/pod/p', {}),
      push('insert', 'default/pod/p', null),
      push('update', 'default/configmap/c', { ErrStatus: { message: 'no', code: 500 } }),
      push('insert', 'default/pod/p', 'text'),
      push('insert', 'nonsense', object('Pod', 'p', 1)),
    ];
    for (const message of hopeless) await scene.fromCloud(message);
    await eventually(() => scene.acknowledged().length === hopeless.length);
    expect(scene.running.letters.map(({ message }) => message.header.id).sort()).toEqual(hopeless.map(({ header }) => header.id).sort());
    expect(scene.objects.valuesOf('pod')).toEqual([]);
    expect(scene.objects.valuesOf('configmap')).toEqual([]);
  });

  it('[metamanager-1.10] with unknown operations are acknowledged and left alone', async () => {
    await using scene = await openScene();
    const odd = push('frobnicate', 'default/pod/p', pod(1));
    await scene.fromCloud(odd);
    await eventually(() => scene.acknowledged().length === 1);
    expect(scene.objects.value('default/pod/p')).toBeUndefined();
  });

  it('[metamanager-1.23] with members of the wrong type are stored or set aside, and acknowledged in any case', async () => {
    await using scene = await openScene();
    const odd = [5, null, true, [], {}, 'x'];
    const messages = odd.flatMap((value, index) => [
      push('update', `default/gadget/a${index}`, { kind: value, apiVersion: 'v1', metadata: { name: 'a' } }),
      push('update', `default/gadget/b${index}`, { kind: 'A', apiVersion: value, metadata: { name: 'a' } }),
      push('update', `default/pod/c${index}`, { metadata: { name: value, namespace: value, uid: value, creationTimestamp: value, resourceVersion: value } }, { resourceVersion: '1' }),
      push('update', `default/pod/c${index}`, { metadata: { name: value, uid: value } }, { resourceVersion: '2' }),
      push('delete', `default/pod/c${index}`, { metadata: { uid: value } }),
    ]);
    for (const message of messages) await scene.fromCloud(message);
    await eventually(() => scene.acknowledged().length === messages.length);
  });
});
