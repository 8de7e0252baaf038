import { isApiError, type KubeObject } from '@edge/kubeapi';
import { errorCode } from '@edge/core';
import { describe, expect, it } from 'vitest';
import { startMinicloud } from '../src/index.js';
import { joinReady, leaseBody, nodeBody, openCloud, readyPatch } from './cloud-fixture.js';
import { EdgeClient, enrol, httpsGet } from './edge-client.js';
import { SimulatedNode } from './simulated-node.js';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const podOn = (nodeName: string | undefined, name = 'p', more: object = {}): object => ({
  metadata: { name, namespace: 'default', ...more }, spec: { ...(nodeName ? { nodeName } : {}), containers: [{ name: 'c', image: 'i' }] },
});

describe('a cloud', () => {
  it('[minicloud-8.1] started again goes on with the same data, and tells a node that knows all nothing', async () => {
    await using fixture = await openCloud();
    const keys = await enrol(fixture.cloud.httpsAddress, fixture.cloud.token(), 'e1');
    const first = await EdgeClient.connect(fixture.cloud.hubAddress, keys, 'e1');
    await first.ask('insert', 'null/node/e1', nodeBody('e1', true));
    await fixture.cloud.api.resource('v1', 'pods').create(podOn('e1') as KubeObject);
    await first.waitForPush('insert', 'default/pod/p');
    await first.until(() => fixture.cloud.hub.sessions[0]?.unacknowledged === 0);
    await sleep(300);
    const { uid } = (await fixture.cloud.api.resource('v1', 'pods').get('p', 'default')).metadata;
    await fixture.restart();
    await first.until(() => first.closed !== undefined);
    expect((await fixture.cloud.api.resource('v1', 'pods').get('p', 'default')).metadata.uid).toBe(uid);
    const second = await EdgeClient.connect(fixture.cloud.hubAddress, keys, 'e1');
    await second.ask('query', 'null/node/e1');
    await sleep(500);
    expect(second.received.filter((m) => m.header.parentId === undefined)).toEqual([]);
    second.close();
  });

  it('[minicloud-8.2] marks a node that falls silent and clears the mark when it is back', async () => {
    await using fixture = await openCloud({ nodeGraceMs: 700 });
    const client = await joinReady(fixture, 'e1');
    const nodes = fixture.cloud.api.resource<{ spec: { taints?: { key: string }[] }; status: { conditions: { type: string; status: string }[] } }>('v1', 'nodes');
    const ready = (): string | undefined => nodes.find('e1')?.status.conditions.find((c) => c.type === 'Ready')?.status;
    await client.until(() => ready() === 'Unknown');
    await client.until(() => nodes.find('e1')?.spec.taints?.[0]?.key === 'node.kubernetes.io/unreachable');
    const pushed = await client.waitFor((m) => JSON.stringify(m.content).includes('NodeStatusUnknown'));
    expect(pushed.route.resource).toBe('null/node/e1');
    const lease = (await client.ask('query', 'kube-node-lease/lease/e1')).content as { Object: KubeObject };
    await client.ask('update', 'kube-node-lease/lease/e1', leaseBody('e1', { resourceVersion: lease.Object.metadata.resourceVersion }));
    await client.ask('patch', 'null/nodepatch/e1', readyPatch());
    await client.until(() => ready() === 'True' && nodes.find('e1')?.spec.taints === undefined);
  });

  it('[minicloud-8.3] cuts the link of a deleted node, removes its pods and takes it back as a new one', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    const pods = fixture.cloud.api.resource('v1', 'pods');
    await pods.create(podOn('e1') as KubeObject);
    await client.waitForPush('insert', 'default/pod/p');
    await fixture.cloud.api.resource('v1', 'nodes').delete('e1');
    await client.until(() => client.closed !== undefined);
    expect(client.closed).toContain('deleted');
    await client.until(() => pods.find('p', 'default') === undefined && fixture.cloud.api.resource('coordination.k8s.io/v1', 'leases').find('e1', 'kube-node-lease') === undefined);
    const again = await joinReady(fixture, 'e1');
    expect(again.received.filter((m) => m.route.resource.startsWith('default/pod'))).toEqual([]);
  });

  it('[minicloud-8.4] removes an ending pod when its node stays silent', async () => {
    await using fixture = await openCloud({ nodeGraceMs: 300, goneMs: 500 });
    const client = await joinReady(fixture, 'e1');
    const pods = fixture.cloud.api.resource('v1', 'pods');
    await pods.create(podOn('e1') as KubeObject);
    await pods.delete('p', 'default', { gracePeriodSeconds: 1 });
    expect(pods.find('p', 'default')?.metadata.deletionTimestamp).toBeDefined();
    await client.until(() => pods.find('p', 'default') === undefined, 15_000);
  });

  it('[minicloud-8.5] deletes what a Deployment and a namespace hold, with the nodes\' help', async () => {
    await using fixture = await openCloud();
    const node = await SimulatedNode.join(fixture, 'e1');
    const { api } = fixture.cloud;
    await api.resource('v1', 'namespaces').create({ metadata: { name: 'shop' } });
    await api.resource('apps/v1', 'deployments').create({
      metadata: { name: 'web', namespace: 'shop' },
      spec: { replicas: 2, selector: { matchLabels: { app: 'w' } }, template: { metadata: { labels: { app: 'w' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } },
    });
    const pods = (): KubeObject[] => [...api.store.list({ resource: 'pods', namespace: 'shop' }).items];
    const running = (): number => pods().filter((p) => (p['status'] as { phase?: string }).phase === 'Running').length;
    await node.client.until(() => running() === 2);
    await api.resource('v1', 'pods').delete(pods()[0]!.metadata.name, 'shop');
    await node.client.until(() => pods().length === 2 && running() === 2 && pods().every((p) => p.metadata.deletionTimestamp === undefined));
    await api.resource('apps/v1', 'deployments').delete('web', 'shop', { propagationPolicy: 'Background' });
    await node.client.until(() => pods().length === 0 && api.store.list({ resource: 'apps/replicasets' }).items.length === 0);
    await api.resource('v1', 'namespaces').delete('shop');
    await node.client.until(() => api.resource('v1', 'namespaces').find('shop') === undefined);
    await expect(api.resource('v1', 'configmaps').create({ metadata: { name: 'late', namespace: 'shop' } })).rejects.toThrow(/"shop" not found/);
  });

  it('[minicloud-8.6] runs beside others in one process, each over its own folder', async () => {
    await using one = await openCloud();
    await using two = await openCloud();
    const error: unknown = await startMinicloud({ dataDir: one.dataDir }).catch((e: unknown) => e);
    expect(errorCode(error)).toBe('minicloud.data-in-use');
    await joinReady(one, 'e1');
    expect(one.cloud.hub.sessions).toHaveLength(1);
    expect(two.cloud.hub.sessions).toHaveLength(0);
    await expect(enrol(two.cloud.httpsAddress, one.cloud.token(), 'e1')).rejects.toThrow(/401/);
  });

  it('[minicloud-8.7] renews its join token in time and publishes it where CloudCore does', async () => {
    await using fixture = await openCloud({ tokenTtl: 2500 });
    const first = fixture.cloud.token();
    await sleep(1500);
    expect(fixture.cloud.token()).not.toBe(first);
    await enrol(fixture.cloud.httpsAddress, fixture.cloud.token(), 'e1');
    await sleep(1200);
    await expect(enrol(fixture.cloud.httpsAddress, first, 'e1')).rejects.toThrow(/401.*expired/);
    const secret = await fixture.cloud.api.resource('v1', 'secrets').get('tokensecret', 'kubeedge');
    const published = Buffer.from((secret['data'] as { tokendata: string }).tokendata, 'base64').toString();
    expect(published.split('.')).toHaveLength(4);
  });

  it('[minicloud-8.8] knows a service account by its token and lets it read its namespace, but no Secrets', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    await client.until(() => fixture.cloud.api.resource('v1', 'serviceaccounts').find('default', 'default') !== undefined);
    const answer = await client.ask('query', 'default/serviceaccounttoken/default', { spec: { audiences: null, expirationSeconds: 3600 } });
    const { token } = (answer.content as { status: { token: string } }).status;
    const ca = (await client.ask('query', 'k8s/ca.crt')).content as string;
    const get = async (path: string, bearer = token): Promise<number> => (await httpsGet(`${fixture.cloud.url}${path}`, { ca, headers: { Authorization: `Bearer ${bearer}` } })).status;
    expect(await get('/api/v1/namespaces/default/configmaps')).toBe(200);
    expect(await get('/api/v1/namespaces/default/secrets')).toBe(403);
    expect(await get('/api/v1/namespaces/kube-system/configmaps')).toBe(403);
    expect(await get('/api/v1/namespaces/default/configmaps', `${token.slice(0, -4)}AAAA`)).toBe(401);
    const foreign = await client.ask('query', 'default/serviceaccounttoken/default', { spec: { audiences: ['edge'] } });
    expect(await get('/api/v1/namespaces/default/configmaps', (foreign.content as { status: { token: string } }).status.token)).toBe(401);
  });

  it('[minicloud-8.11] refuses a pod without a spec like any other that is wrong', async () => {
    await using fixture = await openCloud();
    const pods = fixture.cloud.api.resource('v1', 'pods');
    for (const spec of [undefined, null]) {
      await expect(pods.create({ metadata: { name: 'p', namespace: 'default' }, spec } as unknown as KubeObject)).rejects.toThrowError(expect.toSatisfy((error) => isApiError(error, 'Invalid')));
    }
  });
});

describe('messages of nodes', () => {
  it('[minicloud-9.1] get the answers of CloudCore when things are missing, wrong or not the same any more', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    const content = async (operation: string, resource: string, body: unknown = null): Promise<unknown> => (await client.ask(operation, resource, body)).content;
    const missing = (type: string, name: string): object => ({ ErrStatus: { metadata: {}, status: 'Failure', message: `${type} "${name}" not found`, reason: 'NotFound', details: { name, kind: type }, code: 404 } });
    expect(await content('query', 'default/configmap/none')).toEqual(missing('configmap', 'none'));
    expect(await content('query', 'default/secret/none')).toEqual(missing('secret', 'none'));
    expect(await content('query', 'null/persistentvolume/none')).toEqual(missing('persistentvolume', 'none'));
    expect(await content('query', 'default/volumeattachment/none')).toEqual(missing('volumeattachment', 'none'));
    expect(await content('query', 'default/serviceaccounttoken/none', { spec: {} })).toMatchObject({ ErrStatus: { code: 404 } });
    expect(await content('patch', 'default/podpatch/none', '{"metadata":{"uid":"u"},"status":{}}')).toMatchObject({ Object: null, Err: { ErrStatus: { code: 404 } } });
    const stranger = await fixture.connect('e9');
    expect((await stranger.ask('patch', 'null/nodepatch/e9', '{}')).content).toMatchObject({ Err: { ErrStatus: { code: 404 } } });
    expect((await stranger.ask('update', 'null/node/e9', {})).content).toMatchObject({ ErrStatus: { code: 404 } });
    expect(await content('delete', 'default/pod/none', { gracePeriodSeconds: 0 })).toBe('OK');
    expect(await content('query', 'default/node/e1')).toMatchObject({ kind: 'Node', metadata: { name: 'e1' } });
    expect(await content('update', 'kube-node-lease/lease/e1', leaseBody('e1', { resourceVersion: '1' }))).toMatchObject({ Err: { ErrStatus: { code: 409 } } });
    const pods = fixture.cloud.api.resource('v1', 'pods');
    await pods.create(podOn('e1') as KubeObject);
    expect(await content('delete', 'default/pod/p', { gracePeriodSeconds: 0, preconditions: { uid: 'other' } })).toBe('OK');
    expect(await content('delete', 'default/pod/p', 'other')).toBe('OK');
    expect(await content('patch', 'default/podpatch/p', '{"metadata":{"uid":"other"},"status":{"phase":"Failed"}}')).toMatchObject({ Err: { ErrStatus: { code: 409 } } });
    expect(await content('patch', 'default/podpatch/p', 'not json')).toMatchObject({ Err: { ErrStatus: { status: 'Failure' } } });
    expect(pods.find('p', 'default')).toMatchObject({ status: { phase: 'Pending' } });
    expect(await content('insert', 'default/pod/mirror', podOn('e1', 'mirror'))).toMatchObject({ Object: { spec: { nodeName: 'e1' } }, Err: null });
    expect(await content('update', 'null/node/e1', { metadata: { labels: { site: 'north' }, annotations: { a: 'b' } } })).toBe('OK');
    expect(fixture.cloud.api.resource('v1', 'nodes').find('e1')?.metadata).toMatchObject({ labels: { site: 'north', 'kubernetes.io/os': 'linux' }, annotations: { a: 'b' } });
    expect(await content('query', 'k8s/ca.crt')).toContain('BEGIN CERTIFICATE');
    const csr = { spec: { request: 'eA==', signerName: 'kubernetes.io/kubelet-serving', usages: ['server auth'] } };
    expect(await content('insert', 'default/certificatesigningrequest/c1', csr)).toMatchObject({ Object: { metadata: { name: 'c1' } }, Err: null });
    expect(await content('query', 'default/certificatesigningrequest/c1')).toMatchObject({ kind: 'CertificateSigningRequest' });
  });

  it('[minicloud-9.6] about what is not their own are refused', async () => {
    await using fixture = await openCloud();
    const [mine, other] = [await joinReady(fixture, 'e1'), await joinReady(fixture, 'e2')];
    await fixture.cloud.api.resource('v1', 'pods').create(podOn('e1') as KubeObject);
    await mine.waitForPush('insert', 'default/pod/p');
    const code = async (operation: string, resource: string, body: unknown = {}): Promise<number> => {
      const content = (await other.ask(operation, resource, body)).content as { Err?: { ErrStatus: { code: number } }; ErrStatus?: { code: number } };
      return (content.ErrStatus ?? content.Err?.ErrStatus)?.code ?? 200;
    };
    expect(await code('patch', 'default/podpatch/p', '{"status":{"phase":"Failed"}}')).toBe(403);
    expect(await code('delete', 'default/pod/p')).toBe(403);
    expect(await code('patch', 'null/nodepatch/e1', '{}')).toBe(403);
    expect(await code('update', 'kube-node-lease/lease/e1', leaseBody('e1'))).toBe(403);
    expect(await code('insert', 'default/pod/x', podOn('e1', 'x'))).toBe(403);
    expect(await code('insert', 'default/pod/x', podOn(undefined, 'x'))).toBe(403);
    expect(await code('patch', 'null/nodepatch/e2', '{}')).toBe(200);
    await using lenient = await openCloud({ authorizeNodes: false });
    const one = await joinReady(lenient, 'e1');
    await joinReady(lenient, 'e2');
    expect((await one.ask('patch', 'null/nodepatch/e2', '{}')).content).toMatchObject({ Err: null });
  });

  it('[minicloud-9.2] that nobody understands do no harm', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    for (const resource of ['', '/', 'x', 'default/unknown/x', 'null/node/', '../../etc/passwd', 'default/pod/UPPER', 'default/pod/a/b/c']) {
      for (const operation of ['insert', 'update', 'patch', 'delete', 'query', 'dance']) {
        for (const content of [null, 5, [], 'text', { metadata: 7 }, { metadata: { labels: 3 } }]) client.send({ source: 'edged', group: 'meta', operation, resource, content });
      }
    }
    expect((await client.ask('query', 'null/node/e1')).content).toMatchObject({ kind: 'Node' });
    expect(fixture.cloud.hub.sessions).toHaveLength(1);
  });

  it('[minicloud-9.3] keep events: each once, later ones in place, patches too', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    const event = { metadata: { name: 'p.1', namespace: 'default' }, involvedObject: { kind: 'Pod', name: 'p' }, reason: 'Pulled', message: 'one', count: 1, type: 'Normal' };
    const send = (operation: string, content: unknown, name = 'p.1'): unknown => client.send({ source: 'edged', group: 'meta', operation, resource: `default/event/${name}`, content });
    send('insert', event);
    send('insert', event);
    send('update', { ...event, message: 'two', count: 2 });
    send('patch', { event: { ...event, count: 3 }, patchData: '{"count":3}' });
    send('patch', { event: { ...event, metadata: { ...event.metadata, name: 'p.2' }, count: 9 }, patchData: '{"count":9}' }, 'p.2');
    const events = fixture.cloud.api.resource('v1', 'events');
    await client.until(() => events.find('p.1', 'default')?.['count'] === 3 && events.find('p.2', 'default')?.['count'] === 9);
    expect(events.find('p.1', 'default')).toMatchObject({ message: 'two' });
  });

  it('[minicloud-9.4] come back to their node when somebody else changed the object, not when it wrote itself', async () => {
    await using fixture = await openCloud({ resyncIntervalMs: 100 });
    const client = await joinReady(fixture, 'e1');
    const pods = fixture.cloud.api.resource<KubeObject & { status: object }>('v1', 'pods');
    const { metadata } = await pods.create(podOn('e1') as KubeObject);
    await client.waitForPush('insert', 'default/pod/p');
    await client.until(() => fixture.cloud.hub.sessions[0]?.unacknowledged === 0);
    const updates = (): number => client.received.filter((m) => m.route.operation === 'update' && m.route.resource === 'default/pod/p').length;
    for (let write = 1; write <= 5; write += 1) {
      await client.ask('patch', 'default/podpatch/p', JSON.stringify({ metadata: { uid: metadata.uid }, status: { phase: 'Running', reason: `write ${write}` } }));
      await sleep(150);
    }
    // Some may come back when the look for what the node lacks falls between its write and the note that it has it.
    const own = updates();
    expect(own).toBeLessThan(5);
    const { resourceVersion } = (await client.ask('patch', 'default/podpatch/p', JSON.stringify({ metadata: { uid: metadata.uid }, status: { phase: 'Running' } }))).header;
    expect(resourceVersion).toBe((await pods.get('p', 'default')).metadata.resourceVersion);
    await pods.modify('p', 'default', (copy) => {
      copy.metadata.labels = { color: 'red' };
    });
    await client.until(() => updates() > own);
    const told = updates();
    await pods.modify('p', 'default', (copy) => {
      copy.status = { ...copy.status, message: 'from the cloud' };
    }, { subresource: 'status' });
    await client.until(() => updates() > told);
  });

  it('[minicloud-9.5] of one object keep their order, while others pass', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'e1');
    const pods = fixture.cloud.api.resource('v1', 'pods');
    const { metadata } = await pods.create(podOn('e1') as KubeObject);
    for (let count = 1; count <= 100; count += 1) {
      client.send({ source: 'edged', group: 'meta', operation: 'patch', resource: 'default/podpatch/p', content: JSON.stringify({ metadata: { uid: metadata.uid }, status: { message: String(count) } }) });
      client.send({ source: 'edged', group: 'meta', operation: 'insert', resource: `default/event/e${count}`, content: { metadata: {}, reason: 'r', involvedObject: {} } });
    }
    await client.until(() => (pods.find('p', 'default') as unknown as { status: { message?: string } }).status.message === '100');
    const answers = client.received.filter((m) => m.route.resource === 'default/podpatch/p').map((m) => (m.content as { Object: { status: { message: string } } }).Object.status.message);
    expect(answers).toEqual(Array.from({ length: 100 }, (_, index) => String(index + 1)));
    await client.until(() => fixture.cloud.api.store.list({ resource: 'events' }).items.filter((e) => /^e\d+$/.test(e.metadata.name)).length === 100);
  });
});
