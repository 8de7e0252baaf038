import type { MessageBus } from '@edge/core';
import { createMessage, type KubeObject, type Message } from '@edge/protocol';
import { collectingLogger, createMemoryStore } from '@edge/testing';
import { expect, it } from 'vitest';
import { TypeCatalog } from '../types/catalog.js';
import { Feed } from './feed.js';
import { ObjectCopy, type CopyItem } from './object-copy.js';

const KEY = '/core/v1/configmaps/default/a';

const item = (version: string): CopyItem => ({ key: KEY, object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default', uid: 'u', resourceVersion: version } } as KubeObject });

const told = (sequence: number, version: string): Message =>
  createMessage({ source: 'metamanager', group: 'metaserver', operation: 'update', resource: 'stored/objects', content: { epoch: 'e', sequence, items: [item(version)] } });

it('[metaserver-2.2] a change that is told while the copy is being made is not lost', async () => {
  const asked: Message[] = [];
  const bus = { request: async (_to: unknown, message: Message) => (asked.push(message), told(1, '10')) } as unknown as MessageBus;
  const feed = new Feed({ bus, log: collectingLogger() });
  const { signal } = new AbortController();
  let taken: Promise<void> | undefined;
  const copy = await feed.begin(async (items) => {
    taken = feed.take(told(2, '11'), signal);
    return ObjectCopy.open({ store: createMemoryStore(), catalog: new TypeCatalog() }, items);
  }, signal);
  await taken;
  expect(copy.origin({ resource: '/v1/configmaps', namespace: 'default', name: 'a' })?.cloudVersion).toBe('11');
  // It was in time, so everything was asked for once.
  expect(asked).toHaveLength(1);
});
