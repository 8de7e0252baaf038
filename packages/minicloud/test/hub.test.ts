import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EdgeClient } from './edge-client.js';
import { openHub, podPush } from './hub-fixture.js';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const quick = { intervalMs: 60, repeats: 4, backoff: { firstMs: 20, factor: 2, limitMs: 100, jitter: 0 } };

describe('links over real TLS', () => {
  it('[minicloud-3.1] refuses a link with the reason in the answer', async () => {
    await using cloud = await openHub({ nodeLimit: 1 });
    const keys = await cloud.keys('e1');
    await expect(EdgeClient.connect(cloud.address, keys, 'e1', { ConnectionUse: 'str' })).rejects.toThrow(/400.*ConnectionUse/);
    await expect(EdgeClient.connect(cloud.address, keys, 'e1', { node_id: '' })).rejects.toThrow(/400.*node_id/);
    await expect(EdgeClient.connect(cloud.address, keys, 'e2')).rejects.toThrow(/403.*system:node:e1/);
    await expect(EdgeClient.connect(cloud.address, { ...keys, cert: '', key: '' }, 'e1')).rejects.toThrow();
    await cloud.connect('e1');
    await expect(cloud.connect('e2')).rejects.toThrow(/503.*limit/);
  });

  it('[minicloud-3.2] lets the last connection of a node win', async () => {
    await using cloud = await openHub();
    const first = await cloud.connect('e1');
    const second = await cloud.connect('e1');
    await first.until(() => first.closed !== undefined);
    expect(first.closed).toContain('again');
    cloud.hub.push('e1', podPush('a', 5));
    await second.waitForPush('update', 'default/pod/a');
    expect(cloud.hub.sessions.map((s) => s.node)).toEqual(['e1']);
  });

  it('[minicloud-3.3] ends a session without keepalives and keeps one with them', async () => {
    await using cloud = await openHub({ keepaliveMs: 300 });
    const silent = await cloud.connect('e1');
    const alive = await cloud.connect('e2');
    const beat = setInterval(() => alive.keepalive(), 100);
    await silent.until(() => silent.closed !== undefined);
    expect(silent.closed).toContain('keepalive');
    clearInterval(beat);
    expect(cloud.hub.isConnected('e2')).toBe(true);
  });

  it('[minicloud-3.4] drops a session on request and forgets a deleted node', async () => {
    await using cloud = await openHub();
    const client = await cloud.connect('e1');
    cloud.hub.push('e1', podPush('a', 5));
    await client.waitForPush('update', 'default/pod/a');
    expect(cloud.hub.dropSession('e1')).toBe(true);
    await client.until(() => client.closed !== undefined);
    expect(cloud.hub.dropSession('e1')).toBe(false);
    cloud.hub.forgetNode('e1');
    expect(cloud.records.of('e1')).toEqual([]);
  });
});

describe('delivery with acknowledgement', () => {
  it('[minicloud-3.5] has one message in flight, and sends the next when it is acknowledged', async () => {
    await using cloud = await openHub();
    const client = await cloud.connect('e1');
    client.acknowledge = false;
    for (const uid of ['a', 'b', 'c']) cloud.hub.push('e1', podPush(uid, 5));
    const first = await client.waitForPush('update', 'default/pod/a');
    await sleep(100);
    expect(client.received).toHaveLength(1);
    expect(cloud.records.get('e1', 'a')?.version).toBe('0');
    client.ack(first);
    await client.waitForPush('update', 'default/pod/b');
    expect(cloud.records.get('e1', 'a')?.version).toBe('5');
    expect(client.received).toHaveLength(2);
  });

  it('[minicloud-3.6] repeats four times unchanged, puts back, and lets others pass meanwhile', async () => {
    await using cloud = await openHub({ retry: { ...quick, backoff: { ...quick.backoff, firstMs: 200 } } });
    const client = await cloud.connect('e1');
    client.acknowledge = false;
    cloud.hub.push('e1', podPush('a', 5));
    cloud.hub.push('e1', podPush('b', 5));
    const b = await client.waitForPush('update', 'default/pod/b');
    const copies = client.received.filter((m) => m.route.resource === 'default/pod/a');
    expect(copies).toHaveLength(5);
    expect(new Set(copies.map((m) => JSON.stringify(m)))).toHaveProperty('size', 1);
    client.ack(b);
    // The late acknowledgement of the message that was put back ends its repetition.
    client.ack(copies[0]!);
    await client.until(() => cloud.records.get('e1', 'a')?.version === '5' && cloud.records.get('e1', 'b')?.version === '5');
    const seen = client.received.length;
    await sleep(400);
    expect(client.received.length).toBe(seen);
    expect(cloud.hub.sessions[0]?.unacknowledged).toBe(0);
  });

  it('[minicloud-3.7] a negative answer does not count as acknowledgement', async () => {
    await using cloud = await openHub({ retry: quick });
    const client = await cloud.connect('e1');
    client.acknowledge = false;
    cloud.hub.push('e1', podPush('a', 5));
    const message = await client.waitForPush('update', 'default/pod/a');
    client.send({ ...message.route, source: 'metamanager', operation: 'error', parentId: message.header.id, content: 'disk full' });
    await client.until(() => client.received.length >= 3);
    expect(cloud.records.get('e1', 'a')?.version).toBe('0');
  });

  it('[minicloud-3.8] does not send again what the node acknowledged, nor older versions', async () => {
    await using cloud = await openHub();
    const client = await cloud.connect('e1');
    cloud.hub.push('e1', podPush('a', 5));
    await client.until(() => cloud.records.get('e1', 'a')?.version === '5');
    expect(cloud.hub.push('e1', podPush('a', 5))).toBe(false);
    expect(cloud.hub.push('e1', podPush('a', 4))).toBe(false);
    expect(cloud.hub.push('e1', podPush('a', 6))).toBe(true);
    await client.until(() => cloud.records.get('e1', 'a')?.version === '6');
    cloud.hub.push('e1', podPush('a', 7, { operation: 'delete' }));
    await client.until(() => cloud.records.get('e1', 'a') === undefined);
  });

  it('[minicloud-3.9] brings a node that was away up to date at once when it connects', async () => {
    await using cloud = await openHub();
    const before = await cloud.connect('e1');
    for (const uid of ['kept', 'changed', 'gone']) cloud.hub.push('e1', podPush(uid, 5));
    await before.until(() => ['kept', 'changed', 'gone'].every((uid) => cloud.records.get('e1', uid)?.version === '5'));
    before.close();
    await before.until(() => !cloud.hub.isConnected('e1'));
    cloud.hub.push('e1', podPush('new', 9));
    for (const [uid, version] of [['kept', '5'], ['changed', '8'], ['new', '9']] as const) {
      cloud.objects.set(uid, { kind: 'Pod', apiVersion: 'v1', metadata: { uid, name: uid, resourceVersion: version } as never });
    }
    const after = await cloud.connect('e1');
    await after.waitForPush('update', 'default/pod/changed');
    await after.waitForPush('update', 'default/pod/new');
    const stub = await after.waitForPush('delete', 'default/pod/gone');
    expect(stub.content).toEqual({ metadata: { name: 'gone', namespace: 'default', uid: 'gone' } });
    await after.until(() => cloud.records.of('e1').every((r) => r.version === cloud.objects.get(r.uid)?.metadata.resourceVersion));
    expect(after.received).toHaveLength(3);
  });

  it('[minicloud-3.10] resends in the resync tick, without a second copy of what is on its way', async () => {
    await using cloud = await openHub({ resyncIntervalMs: 50 });
    cloud.objects.set('a', { kind: 'Pod', apiVersion: 'v1', metadata: { uid: 'a', name: 'a', resourceVersion: '7' } as never });
    const client = await cloud.connect('e1');
    client.acknowledge = false;
    cloud.hub.push('e1', podPush('a', 7));
    const first = await client.waitForPush('update', 'default/pod/a');
    await sleep(300);
    expect(client.received).toHaveLength(1);
    client.ack(first);
    cloud.objects.delete('a');
    await client.waitForPush('delete', 'default/pod/a');
  });
});

describe('hostile nodes', () => {
  it('[minicloud-3.11] survives any frame: text, bytes, wrong types everywhere', async () => {
    await using cloud = await openHub();
    const client = await cloud.connect('e1');
    const wrong = fc.oneof(fc.constant(null), fc.integer(), fc.string(), fc.array(fc.integer(), { maxLength: 3 }), fc.object({ maxDepth: 2 }), fc.boolean());
    const frame = fc.oneof(
      fc.json(),
      fc.string({ maxLength: 200 }),
      fc.record({
        header: fc.oneof(wrong, fc.record({ msg_id: wrong, parent_msg_id: wrong, timestamp: wrong }, { requiredKeys: [] })),
        route: fc.oneof(wrong, fc.record({ source: wrong, group: wrong, operation: wrong, resource: wrong }, { requiredKeys: [] })),
        content: wrong,
      }, { requiredKeys: [] }).map((value) => JSON.stringify(value)),
    );
    for (const text of fc.sample(frame, 500)) client.sendRaw(text);
    for (let count = 0; count < 50; count += 1) client.sendRaw(randomBytes(100));
    const answer = await client.ask('query', 'default/configmap/c');
    expect(answer.content).toBe('OK');
    expect(cloud.hub.sessions[0]?.refused).toBeGreaterThan(50);
  });

  it('[minicloud-3.12] ends only the session that sends more than a message may have', async () => {
    await using cloud = await openHub({ maxMessageBytes: 100_000 });
    const bad = await cloud.connect('e1');
    const good = await cloud.connect('e2');
    bad.sendRaw(Buffer.alloc(64 * 1024 * 1024, 'x'));
    await bad.until(() => bad.closed !== undefined);
    expect((await good.ask('query', 'default/configmap/c')).content).toBe('OK');
  });

  it('[minicloud-3.13] answers the link layer\'s own operations and ignores nodes that pose as the cloud', async () => {
    await using cloud = await openHub();
    const client = await cloud.connect('e1');
    const ping = client.send({ source: 'x', group: 'y', operation: 'ping', resource: 'z' });
    expect((await client.waitFor((m) => m.header.parentId === ping.header.id)).content).toBe('ack');
    client.send({ source: 'edgecontroller', group: 'meta', operation: 'update', resource: 'default/pod/p' });
    await client.ask('query', 'default/configmap/c');
    expect(cloud.handled.map((h) => h.receiver)).toEqual(['nobody', 'edge']);
  });
});
