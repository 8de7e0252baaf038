import { createMessage, metaV2Table, type Message, type MetaV2Row } from '@edge/protocol';
import { createMemoryStore } from '@edge/testing';
import { expect, it } from 'vitest';
import { openScene } from './scene.js';

const SPEC = { version: 'v1.23.2', timeoutSeconds: 30, imageDigestGatter: null };
const KEY = '/operations.kubeedge.io/v1alpha2/nodeupgradejobspecs/up1/nodes/edge-1';
const message = (operation: string, content?: unknown): Message => createMessage({ source: 'taskmanager', group: 'meta', operation, resource: 'stored/nodejob', content });

it('[metamanager-15.1] an upgrade that waits lies where upstream has it, one of each version, out of sight of the local API', async () => {
  const store = createMemoryStore();
  await using scene = await openScene({ store, connected: true });
  const rows = store.table<MetaV2Row>(metaV2Table);
  const ask = (operation: string, content?: unknown): Promise<Message> => scene.running.bus.bus.request({ group: 'meta' }, message(operation, content), { timeoutMs: 30_000 });
  expect((await ask('insert', { version: 'v1alpha2', job: 'up0', node: 'edge-1', value: {} })).content).toBe('OK');
  await ask('insert', { version: 'v1alpha2', job: 'up1', node: 'edge-1', value: SPEC });
  const request = { TaskID: 'a', Type: 'upgrade', State: '', Item: { UpgradeID: 'a' } };
  await ask('insert', { version: 'v1alpha1', job: 'a', node: '', value: request });
  expect(rows.all()).toEqual([
    { key: '/operations.kubeedge.io/v1alpha1/nodeupgradejobtaskrequests/a', group_version_resource: 'operations.kubeedge.io/v1alpha1, Resource=nodeupgradejobtaskrequests', namespace: 'null', name: 'a', resource_version: 0, value: '{"TaskID":"a","Type":"upgrade","State":"","Item":{"UpgradeID":"a"}}' },
    { key: KEY, group_version_resource: 'operations.kubeedge.io/v1alpha2, Resource=nodeupgradejobspecs', namespace: 'null', name: 'up1', resource_version: 0, value: '{"version":"v1.23.2","timeoutSeconds":30,"imageDigestGatter":null}' },
  ]);
  expect((await ask('get')).content).toEqual({
    items: [
      { version: 'v1alpha2', job: 'up1', node: 'edge-1', value: SPEC },
      { version: 'v1alpha1', job: 'a', node: '', value: request },
    ],
  });
  const followed = await scene.running.bus.bus.request({ group: 'meta' }, createMessage({ source: 'metaserver', group: 'meta', operation: 'get', resource: 'stored/objects' }), { timeoutMs: 30_000 });
  expect(JSON.stringify(followed.content)).not.toContain('up1');
  await ask('delete', { version: 'v1alpha2' });
  expect(rows.all().map(({ name }) => name)).toEqual(['a']);
  expect(scene.hub.received).toEqual([]);
});

it('[metamanager-15.2] what is no record is refused in words, and a damaged row is passed over', async () => {
  const store = createMemoryStore();
  const rows = store.table<MetaV2Row>(metaV2Table);
  await store.commit(() => {
    rows.put({ key: KEY, group_version_resource: 'operations.kubeedge.io/v1alpha2, Resource=nodeupgradejobspecs', namespace: 'null', name: 'up1', resource_version: 0, value: '{"version"' });
  });
  await using scene = await openScene({ store });
  const ask = (operation: string, content?: unknown): Promise<Message> => scene.running.bus.bus.request({ group: 'meta' }, message(operation, content), { timeoutMs: 30_000 });
  expect((await ask('get')).content).toEqual({ items: [] });
  for (const [content, words] of [
    [null, 'version undefined of a job\'s record is not known; known are v1alpha2 and v1alpha1'],
    [{ version: 'toString' }, 'is not known'],
    [{ version: 'v1alpha2', job: 'a', node: 'n', value: 'text' }, 'needs job and node as texts and an object as value'],
    [{ version: 'v1alpha2', job: '', node: 'n', value: {} }, 'needs job and node'],
  ] as const) {
    expect(await ask('insert', content)).toMatchObject({ route: { operation: 'error' }, content: expect.stringContaining(words) as string });
  }
});
