import { createMessage, type Message, type NewMessage } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { AckQueue } from './ack-queue.js';
import { needsAck, queueKey } from './delivery.js';
import { receiverOf } from './dispatch.js';
import { planResync } from './resync.js';
import { type SyncRecord, type SyncRecordStorage, WriteBehindSyncRecords } from './sync-records.js';

const message = (parts: Partial<NewMessage>): Message =>
  createMessage({ source: 'edgecontroller', group: 'resource', operation: 'update', resource: 'default/pod/p', ...parts });
const pod = (version: number, extra: Partial<NewMessage> = {}, metadata: object = {}): Message =>
  message({ resourceVersion: String(version), content: { metadata: { name: 'p', uid: 'u1', ...metadata } }, ...extra });

describe('which messages need an acknowledgement', () => {
  it.each([
    ['a pod', {}, true],
    ['the deletion of a pod', { operation: 'delete' }, true],
    ['a configmap that was asked for', { operation: 'response', resource: 'default/configmap/c', content: { metadata: {} } }, true],
    ['a configmap that is not there', { operation: 'response', resource: 'default/configmap/c', content: { ErrStatus: {} } }, false],
    ['a node update', { resource: 'null/node/n' }, true],
    ['a node answer', { operation: 'response', resource: 'null/node/n' }, false],
    ['a lease answer', { operation: 'response', resource: 'kube-node-lease/lease/n' }, false],
    ['a node patch answer', { operation: 'response', resource: 'null/nodepatch/n' }, false],
    ['a pod patch answer', { operation: 'response', resource: 'default/podpatch/p' }, false],
    ['a pod insert answer', { operation: 'response' }, false],
    ['an OK', { operation: 'response', resource: 'default/configmap/c', content: 'OK' }, false],
    ['a token', { operation: 'response', resource: 'default/serviceaccounttoken/sa' }, false],
    ['the cluster authority', { source: 'cloudhub', operation: 'response', resource: 'k8s/ca.crt' }, false],
    ['a membership list', { source: 'devicecontroller', group: 'twin', resource: 'membership' }, false],
    ['a device', { source: 'devicecontroller', operation: 'insert', resource: 'default/device/d' }, true],
    ['a rule message', { source: 'router_eventbus', group: 'user', operation: 'publish', resource: 'default/t' }, false],
    ['a job', { source: 'taskmanager', group: 'taskmanager', operation: 'Check', resource: 'a/b/c' }, false],
    ['a volume operation', { source: 'cloudhub', operation: 'createvolume', resource: 'default/volume/v' }, false],
  ])('[minicloud-2.1] %s: %#', (_title, parts, expected) => {
    expect(needsAck(message(parts))).toBe(expected);
  });
});

describe('who handles a message from a node', () => {
  it.each([
    [{ source: 'websocket', operation: 'keepalive', resource: 'node' }, 'keepalive'],
    [{ operation: 'response' }, 'acknowledgement'],
    [{ operation: 'response', resource: 'default/volume/v' }, 'volume'],
    [{ operation: 'error' }, 'error'],
    [{ source: 'bus', group: 'user', operation: 'upload', resource: 'default/t' }, 'router'],
    [{ source: 'websocket', group: 'hub', operation: 'UpdateNodeActionStatus', resource: 'a' }, 'tasks'],
    [{ source: 'metamanager', group: 'meta', operation: 'query', resource: 'k8s/ca.crt' }, 'authority'],
    [{ source: 'edgecontroller', group: 'meta' }, 'nobody'],
    [{ source: 'metaserver', operation: 'null', resource: 'null' }, 'dynamic'],
    [{ source: 'twin', operation: 'get', resource: 'membership/detail' }, 'devices'],
    [{ source: 'edged', group: 'meta' }, 'edge'],
    [{ source: 'edged', operation: 'ping' }, 'transport'],
  ] as const)('[minicloud-2.2] %j goes to %s', (parts, receiver) => {
    expect(receiverOf(message(parts))).toBe(receiver);
  });
});

describe('the queue of unacknowledged messages', () => {
  it('[minicloud-2.3] keeps only the newest state of an object', () => {
    const queue = new AckQueue();
    expect(queue.offer(pod(5))).toBe(true);
    expect(queue.offer(pod(4))).toBe(false);
    expect(queue.offer(pod(7))).toBe(true);
    expect(queue.size).toBe(1);
    expect(queue.take(0)?.message.header.resourceVersion).toBe('7');
  });

  it('[minicloud-2.4] lets nothing replace the end of an object', () => {
    const queue = new AckQueue();
    queue.offer(pod(5, {}, { deletionTimestamp: 'x' }));
    expect(queue.offer(pod(6))).toBe(false);
    expect(queue.offer(pod(6, { operation: 'delete' }))).toBe(true);
    expect(queue.offer(pod(9))).toBe(false);
    expect(queue.take(0)?.message.route.operation).toBe('delete');
  });

  it('[minicloud-2.5] does not swallow an answer behind a push of the same object', () => {
    const queue = new AckQueue();
    queue.offer(pod(5, { operation: 'response', parentId: 'q1' }));
    queue.offer(pod(5, { operation: 'response', parentId: 'q2' }));
    queue.offer(pod(6));
    expect(queue.size).toBe(3);
  });

  it('[minicloud-2.6] puts an unacknowledged message back unchanged, with a pause, unless something newer came', () => {
    const queue = new AckQueue();
    const first = pod(5);
    queue.offer(first);
    queue.take(0);
    expect(queue.offer(pod(5))).toBe(false);
    queue.settle(false, 100);
    expect(queue.take(99)).toBeUndefined();
    expect(queue.nextTime()).toBe(100);
    expect(queue.take(100)?.message).toBe(first);
    queue.offer(pod(6));
    queue.settle(false, 200);
    expect(queue.take(0)?.message.header.resourceVersion).toBe('6');
  });

  it('[minicloud-2.7] refuses what has no object or no version, but takes a deletion without one', () => {
    expect(queueKey(message({ content: 'text', resourceVersion: '1' }))).toBeUndefined();
    expect(queueKey(message({ content: { metadata: { uid: 'u' } } }))).toBeUndefined();
    expect(queueKey(message({ operation: 'delete', content: { metadata: { uid: 'u' } } }))).toBe('u');
  });
});

const record = (parts: Partial<SyncRecord>): SyncRecord =>
  ({ node: 'n', namespace: 'default', uid: 'u1', apiVersion: 'v1', kind: 'Pod', name: 'p', version: '5', ...parts });

describe('reconciliation', () => {
  it('[minicloud-2.8] plans nothing when the node holds what the cloud holds', () => {
    expect(planResync([record({})], () => ({ metadata: { uid: 'u1', resourceVersion: '5' } }))).toEqual([]);
  });

  it('[minicloud-2.9] sends newer objects whole and a stub for what is gone or was replaced', () => {
    const [update] = planResync([record({})], () => ({ metadata: { uid: 'u1', resourceVersion: '10' } }));
    expect(update).toMatchObject({
      header: { resourceVersion: '10' }, route: { source: 'edgecontroller', group: 'resource', operation: 'update', resource: 'default/pod/p' },
      content: { kind: 'Pod', apiVersion: 'v1' },
    });
    for (const current of [undefined, { metadata: { uid: 'u2', resourceVersion: '6' } }]) {
      const [gone] = planResync([record({})], () => current);
      expect(gone?.route.operation).toBe('delete');
      expect(gone?.content).toEqual({ metadata: { name: 'p', namespace: 'default', uid: 'u1' } });
      expect(gone?.header.resourceVersion).toBeUndefined();
    }
    const [node] = planResync([record({ namespace: '', kind: 'Node', name: 'n', uid: 'x' })], () => undefined);
    expect(node?.route.resource).toBe('null/node/n');
  });
});

describe('records of what nodes hold', () => {
  it('[minicloud-2.10] write only the last state of each record, and again what failed with the next change', async () => {
    const saved: string[] = [];
    const failures: unknown[] = [];
    const storage: SyncRecordStorage = {
      load: () => Promise.resolve([record({ uid: 'old' })]),
      save: (r) => (r.version === '13' ? Promise.reject(new Error('disk full')) : Promise.resolve(void saved.push(`${r.uid}@${r.version}`))),
      remove: (r) => Promise.resolve(void saved.push(`-${r.uid}`)),
    };
    const records = new WriteBehindSyncRecords({ storage, onFailure: (error) => failures.push(error) });
    await records.load();
    expect(records.get('n', 'old')?.version).toBe('5');
    for (let version = 1; version <= 10; version += 1) records.put(record({ version: String(version) }));
    records.removeNode('other');
    records.remove('n', 'old');
    expect(records.of('n').map((r) => r.uid)).toEqual(['u1']);
    await records.flush();
    expect(saved.length).toBeLessThanOrEqual(3);
    expect(saved).toContain('u1@10');
    expect(saved).toContain('-old');
    records.put(record({ version: '13' }));
    await records.flush();
    expect(failures).toHaveLength(1);
    records.put(record({ version: '14' }));
    await records.flush();
    expect(saved.at(-1)).toBe('u1@14');
  });
});
