import { createTestBus, collectingLogger } from '@edge/testing';
import type { KubeObject, Message } from '@edge/protocol';
import { Mailbox } from '@edge/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Feed } from '../src/data/feed.js';
import { MeshTable } from '../src/data/mesh-table.js';
import { FakeFeed } from './fake-feed.js';

const service = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec: { clusterIP: '10.96.0.5', ports: [{ port: 80 }] } });

let stored: FakeFeed;
let table: MeshTable;
let feed: Feed;
let signal: AbortController;
const names = (): string[] => [...table.all()].map(({ name }) => name).sort();

beforeEach(async () => {
  const bus = createTestBus();
  stored = new FakeFeed([service('a')]);
  stored.play(bus);
  table = new MeshTable();
  signal = new AbortController();
  feed = new Feed({ bus: bus.bus, table, log: collectingLogger() });
  const mailbox = new Mailbox();
  bus.bus.attach({ module: 'edgemesh', group: 'mesh', mailbox });
  mailbox.open(() => 'objects', (message: Message) => feed.take(message, signal.signal));
  await feed.begin(signal.signal);
});
afterEach(() => signal.abort());

it('[edgemesh-3.1] begins with what is stored and takes over each change', async () => {
  expect(names()).toEqual(['a']);
  await stored.put(service('b'));
  await expect.poll(names).toEqual(['a', 'b']);
  await stored.remove(service('a'));
  await expect.poll(names).toEqual(['b']);
  expect(stored.asked).toBe(1);
});

it('[edgemesh-3.2] asks for everything again when a message is missing, or metamanager began anew', async () => {
  stored.objects.clear();
  stored.sequence += 1;
  await stored.put(service('c'));
  await expect.poll(names).toEqual(['c']);
  expect(stored.asked).toBe(2);
  stored.epoch = 'second';
  stored.sequence = 0;
  stored.objects.clear();
  await stored.put(service('d'));
  await expect.poll(names).toEqual(['d']);
  expect(stored.asked).toBe(3);
});
