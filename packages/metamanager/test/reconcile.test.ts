import type { Message } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { cloudAnswer, eventually, NOT_FOUND, object, openScene, push, settle, type Scene } from './scene.js';

const configMap = (name: string, version: number) => object('ConfigMap', name, version);
const pod = (...names: string[]) =>
  object('Pod', 'p', 1, { spec: { containers: names.map((name) => ({ name, envFrom: [{ configMapRef: { name } }] })) }, status: { phase: 'Running' } });

async function keep(scene: Scene, ...names: [string, number][]): Promise<void> {
  for (const [name, version] of names) {
    await scene.objects.upsert({ path: { namespace: 'default', type: 'configmap', name }, object: configMap(name, version), origin: 'push' });
  }
}
const asked = (scene: Scene) => scene.hub.received.filter(({ route }) => route.operation === 'query').map(({ route }) => route.resource);
const announced = (scene: Scene) => scene.edged.received.map(({ route }) => `${route.operation} ${route.resource}`);

describe('after a connect', () => {
  it('[metamanager-7.7] what pods refer to is compared with the cloud, and edged hears of changes only', async () => {
    const cloud = (message: Message) => {
      const name = message.route.resource.split('/')[2] ?? '';
      return { same: configMap('same', 1), changed: configMap('changed', 2), missing: configMap('missing', 1) }[name] ?? NOT_FOUND;
    };
    await using scene = await openScene({ cloud });
    await keep(scene, ['same', 1], ['changed', 1], ['gone', 1], ['unused', 1]);
    await scene.objects.upsert({ path: { namespace: 'default', type: 'pod', name: 'p' }, object: pod('same', 'changed', 'gone', 'missing', 'never') as never, origin: 'push' });
    expect(asked(scene)).toEqual([]);
    scene.connect();
    await eventually(() => scene.edged.received.length === 3);
    await settle();
    expect(asked(scene).sort()).toEqual(['changed', 'gone', 'missing', 'never', 'same'].map((name) => `default/configmap/${name}`));
    expect(asked(scene).slice(0, 2).sort()).toEqual(['default/configmap/missing', 'default/configmap/never']);
    expect(announced(scene).sort()).toEqual(['delete default/configmap/gone', 'update default/configmap/changed', 'update default/configmap/missing']);
    expect(scene.edged.received.find(({ route }) => route.operation === 'delete')?.content).toEqual({ metadata: { name: 'gone', namespace: 'default', uid: 'uid-gone' } });
    expect(scene.objects.value('default/configmap/gone')).toBeUndefined();
    expect(scene.objects.value('default/configmap/changed')).toContain('"resourceVersion":"2"');
    expect(scene.acknowledged()).toHaveLength(5);
  });

  it('[metamanager-7.8] is done anew for each session, and not for what was pushed in it', async () => {
    await using scene = await openScene({ cloud: (message) => configMap(message.route.resource.split('/')[2] ?? '', 1) });
    await keep(scene, ['a', 1]);
    await scene.objects.upsert({ path: { namespace: 'default', type: 'pod', name: 'p' }, object: pod('a') as never, origin: 'push' });
    scene.connect();
    await eventually(() => asked(scene).length === 1);
    scene.disconnect();
    scene.connect();
    await eventually(() => asked(scene).length === 2);
    await scene.fromCloud(push('update', 'default/configmap/a', configMap('a', 2)));
    await scene.ask({ operation: 'query', resource: 'default/configmap/a' });
    await settle();
    expect(asked(scene)).toHaveLength(2);
  });

  it('[metamanager-7.12] shares no question with an earlier session: its answer says nothing about what was missed in between', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    await using scene = await openScene({ cloud: async (message) => (await held, configMap(message.route.resource.split('/')[2] ?? '', 1)) });
    await keep(scene, ['a', 1]);
    await scene.objects.upsert({ path: { namespace: 'default', type: 'pod', name: 'p' }, object: pod('a') as never, origin: 'push' });
    scene.connect();
    await eventually(() => asked(scene).length === 1);
    scene.disconnect();
    scene.connect();
    await eventually(() => asked(scene).length === 2);
    release();
  });

  it('[metamanager-7.9] an object that no pod referred to is confirmed when it is first used', async () => {
    await using scene = await openScene({ connected: true, cloud: () => configMap('a', 2) });
    await keep(scene, ['a', 1]);
    const answer = await scene.ask({ operation: 'query', resource: 'default/configmap/a' });
    expect(answer.content).toMatchObject([expect.stringContaining('"resourceVersion":"1"')]);
    const told = await scene.edged.next(({ route }) => route.operation === 'update');
    expect(told.content).toMatchObject({ metadata: { resourceVersion: '2' } });
    expect(told.header.resourceVersion).toBe('2');
    await scene.ask({ operation: 'query', resource: 'default/configmap/a' });
    await settle();
    expect(asked(scene)).toHaveLength(1);
  });

  it('[metamanager-7.10] asks at most eight questions at a time, and a silent cloud deletes nothing', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `c${index}`);
    await using scene = await openScene();
    await keep(scene, ...names.map((name): [string, number] => [name, 1]));
    await scene.objects.upsert({ path: { namespace: 'default', type: 'pod', name: 'p' }, object: pod(...names) as never, origin: 'push' });
    scene.connect();
    await eventually(() => asked(scene).length >= 8);
    await settle();
    expect(asked(scene)).toHaveLength(8);
    scene.disconnect();
    for (const message of scene.hub.received.slice(0, 8)) {
      await scene.fromCloud({ ...cloudAnswer(message, 'connection lost'), route: { ...message.route, operation: 'error' } });
    }
    await settle();
    expect(asked(scene)).toHaveLength(8);
    expect(scene.objects.valuesOf('configmap')).toHaveLength(20);
    expect(scene.edged.received).toEqual([]);
  });
});
