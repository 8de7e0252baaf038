import { createMemoryStore } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { cloudAnswer, eventually, NOT_FOUND, object, openScene, push, settle } from './scene.js';

const podPath = { namespace: 'default', type: 'pod', name: 'p' };
const ok = (content: unknown) => ({ Object: content, Err: null });

describe('writes of the node', () => {
  it('[metamanager-3.2] go to the cloud under an id of their own; the object it returns is stored before the answer', async () => {
    const stored = { metadata: { name: 'edge-1', uid: 'n', resourceVersion: '281' }, status: {} };
    await using scene = await openScene({ connected: true, cloud: () => ok(stored) });
    const answer = await scene.ask({ operation: 'insert', resource: 'null/node/edge-1', content: { metadata: { name: 'edge-1' } } });
    expect(answer.content).toEqual(ok(stored));
    expect(scene.objects.value('null/node/edge-1')).toBe('{"metadata":{"name":"edge-1","resourceVersion":"281","uid":"n"},"status":{}}');
    expect(scene.hub.received.map(({ route, content }) => [route, content])).toEqual([
      [{ source: 'edged', group: 'meta', operation: 'insert', resource: 'null/node/edge-1' }, { metadata: { name: 'edge-1' } }],
    ]);
  });

  it('[metamanager-3.3] that the cloud declines change nothing here', async () => {
    const conflict = { Object: { metadata: { labels: {} } }, Err: { ErrStatus: { status: 'Failure', reason: 'AlreadyExists', message: 'exists', code: 409 } } };
    await using scene = await openScene({ connected: true, cloud: () => conflict });
    expect((await scene.ask({ operation: 'insert', resource: 'null/node/edge-1', content: {} })).content).toEqual(conflict);
    expect(scene.objects.value('null/node/edge-1')).toBeUndefined();
  });

  it('[metamanager-3.4] offline, or unanswered, end with an error and leave nothing behind', async () => {
    await using scene = await openScene({ config: { remoteQueryTimeout: 0.05 } });
    const lease = { operation: 'update', resource: 'kube-node-lease/lease/edge-1', content: object('Lease', 'edge-1', 1) };
    expect((await scene.ask(lease)).content).toContain('not connected');
    expect(scene.hub.received).toEqual([]);
    scene.connect();
    const late = await scene.ask(lease);
    expect(late.route.operation).toBe('error');
    expect(late.content).toContain('within 50 ms');
    expect(scene.objects.value('kube-node-lease/lease/edge-1')).toBeUndefined();
  });

  it('[metamanager-3.5] of a lease are stored once and not at each renewal', async () => {
    let version = 0;
    const lease = () => ({ metadata: { name: 'edge-1', uid: 'l', resourceVersion: String((version += 1)) }, spec: { holderIdentity: 'edge-1', renewTime: `t${version}` } });
    await using scene = await openScene({ connected: true, cloud: () => ok(lease()) });
    for (let round = 0; round < 3; round += 1) await scene.ask({ operation: 'update', resource: 'kube-node-lease/lease/edge-1', content: {} });
    expect(scene.objects.value('kube-node-lease/lease/edge-1')).toContain('"renewTime":"t1"');
    expect(scene.acknowledged()).toEqual([]);
  });
});

describe('status patches', () => {
  const patch = '{"metadata":{"uid":"uid-p"},"status":{"phase":"Running"}}';
  const withPod = async () => {
    const scene = await openScene({ connected: true });
    await scene.fromCloud(push('insert', 'default/pod/p', object('Pod', 'p', 10)));
    await eventually(() => scene.acknowledged().length === 1);
    return scene;
  };

  it('[metamanager-4.1] pass with their own id and wait for nobody; the text is kept', async () => {
    await using scene = await withPod();
    const sent = await scene.tell({ operation: 'patch', resource: 'default/podpatch/p', content: patch });
    expect(await scene.hub.next(({ route }) => route.operation === 'patch')).toEqual(sent);
    await eventually(() => scene.objects.value('default/podpatch/p') === patch);
  });

  it('[metamanager-4.2] leave while offline too: the outbox keeps them', async () => {
    await using scene = await openScene();
    await scene.tell({ operation: 'patch', resource: 'null/nodepatch/edge-1', content: '{}' });
    await scene.hub.next(({ route }) => route.operation === 'patch');
    await eventually(() => scene.objects.value('null/nodepatch/edge-1') === '{}');
  });

  it('[metamanager-4.3] that are answered store the object, type first, and then tell edged', async () => {
    await using scene = await withPod();
    const sent = await scene.tell({ operation: 'patch', resource: 'default/podpatch/p', content: patch });
    const { kind: _kind, apiVersion: _apiVersion, ...made } = object('Pod', 'p', 11, { spec: {}, status: { phase: 'Running' } });
    const answer = cloudAnswer(sent, ok(made));
    await scene.fromCloud(answer);
    const passed = await scene.edged.next(({ header }) => header.parentId !== undefined);
    expect(passed).toEqual(answer);
    expect(scene.objects.value('default/pod/p')).toMatch(/^\{"kind":"Pod","apiVersion":"v1","metadata":\{"name":"p","namespace":"default","uid"/);
    expect(scene.acknowledged()).toHaveLength(1);
  });

  it('[metamanager-4.4] whose answer is older than a push, about another object, or an error, touch no row', async () => {
    await using scene = await withPod();
    const sent = await scene.tell({ operation: 'patch', resource: 'default/podpatch/p', content: patch });
    const before = scene.objects.value('default/pod/p');
    const answers = [ok(object('Pod', 'p', 9)), ok(object('Pod', 'p', 99, { metadata: { uid: 'other' } })), { Object: null, Err: NOT_FOUND }, {}];
    for (const content of answers) await scene.fromCloud(cloudAnswer(sent, content));
    await eventually(() => scene.edged.received.filter(({ header }) => header.parentId).length === answers.length);
    expect(scene.objects.value('default/pod/p')).toBe(before);
  });

  it('[metamanager-4.5] answered after the pod has gone do not bring its rows back', async () => {
    await using scene = await withPod();
    const sent = await scene.tell({ operation: 'patch', resource: 'default/podpatch/p', content: patch });
    await scene.fromCloud(push('delete', 'default/pod/p', object('Pod', 'p', 12)));
    await scene.fromCloud(cloudAnswer(sent, ok(object('Pod', 'p', 13))));
    await scene.edged.next(({ header }) => header.parentId !== undefined);
    await scene.tell({ operation: 'patch', resource: 'default/podpatch/p', content: patch });
    await settle();
    expect([scene.objects.value('default/pod/p'), scene.objects.value('default/podpatch/p')]).toEqual([undefined, undefined]);
  });

  it('[metamanager-4.16] that only ask for a pod without a row make it, so that a lost database fills again; but for the pod asked about only', async () => {
    await using scene = await withPod();
    await scene.fromCloud(push('delete', 'default/pod/p', object('Pod', 'p', 12)));
    const ask = (uid: string) => scene.tell({ operation: 'patch', resource: 'default/podpatch/p', content: JSON.stringify({ metadata: { uid } }) });
    const [other, asked] = [await ask('uid-other'), await ask('uid-p')];
    await settle();
    const answered = (count: number) => eventually(() => scene.edged.received.filter(({ header }) => header.parentId).length === count);
    await scene.fromCloud(cloudAnswer(other, ok(object('Pod', 'p', 13))));
    await answered(1);
    expect(scene.objects.value('default/pod/p')).toBeUndefined();
    await scene.fromCloud(cloudAnswer(asked, ok(object('Pod', 'p', 13))));
    await answered(2);
    expect(scene.objects.identity(podPath)).toMatchObject({ uid: 'uid-p', resourceVersion: '13' });
    expect(scene.objects.value('default/podpatch/p')).toBeUndefined();
  });

  const gone = { ErrStatus: { metadata: {}, status: 'Failure', message: 'pods "p" not found', reason: 'NotFound', details: { name: 'p', kind: 'pods' }, code: 404 } };
  const otherUid = { ErrStatus: { metadata: {}, status: 'Failure', message: 'Operation cannot be fulfilled on pods "p": Precondition failed: UID in precondition: uid-p, UID in object meta: x', reason: 'Conflict', details: { name: 'p', kind: 'pods' }, code: 409 } };
  for (const [name, Err] of [['NotFound', gone], ['another uid', otherUid]] as const) {
    it(`[metamanager-4.10] that find no such pod (${name}) take the row along and have edged end it: nobody tells the node of pods that went with a deleted Node`, async () => {
      await using scene = await withPod();
      const sent = await scene.tell({ operation: 'patch', resource: 'default/podpatch/p', content: patch });
      await eventually(() => scene.objects.value('default/podpatch/p') !== undefined);
      await scene.fromCloud(cloudAnswer(sent, { Object: { metadata: { creationTimestamp: null }, status: {} }, Err }));
      const told = await scene.edged.next(({ route }) => route.operation === 'delete');
      expect([told.route.resource, told.content]).toEqual(['default/pod/p', { metadata: { name: 'p', namespace: 'default', uid: 'uid-p' } }]);
      expect([scene.objects.value('default/pod/p'), scene.objects.value('default/podpatch/p')]).toEqual([undefined, undefined]);
    });
  }

  it('[metamanager-4.11] that find no such pod leave alone a pod that was not patched, and believe no 404 that is not the API\'s own', async () => {
    await using scene = await withPod();
    const sent = await scene.tell({ operation: 'patch', resource: 'default/podpatch/p', content: '{"metadata":{"uid":"before"},"status":{}}' });
    await eventually(() => scene.objects.value('default/podpatch/p') !== undefined);
    await scene.fromCloud(cloudAnswer(sent, { Object: null, Err: gone }));
    const again = await scene.tell({ operation: 'patch', resource: 'default/podpatch/p', content: patch });
    await eventually(() => scene.objects.value('default/podpatch/p') === patch);
    const lost = { ErrStatus: { ...gone.ErrStatus, message: 'the server could not find the requested resource (patch pods p)', details: { name: 'p', kind: 'pods', causes: [{ reason: 'UnexpectedServerResponse' }] } } };
    await scene.fromCloud(cloudAnswer(again, { Object: null, Err: lost }));
    await eventually(() => scene.edged.received.filter(({ header }) => header.parentId).length === 2);
    expect(scene.objects.identity(podPath)).toBeDefined();
    expect(scene.edged.received.some(({ route }) => route.operation === 'delete')).toBe(false);
  });

  it('[metamanager-4.6] of the node make its row when there was none', async () => {
    await using scene = await openScene({ connected: true });
    const sent = await scene.tell({ operation: 'patch', resource: 'null/nodepatch/edge-1', content: '{}' });
    await scene.fromCloud(cloudAnswer(sent, ok({ metadata: { name: 'edge-1', uid: 'n', resourceVersion: '5' }, spec: {} })));
    await scene.edged.next(({ header }) => header.parentId !== undefined);
    expect(scene.objects.value('null/node/edge-1')).toMatch(/^\{"kind":"Node","apiVersion":"v1","metadata":/);
  });

  it('[metamanager-4.12] of the node tell which Node there is: one that was deleted and made anew, or that of another cluster, replaces the row', async () => {
    await using scene = await openScene({ connected: true });
    await scene.fromCloud(push('update', 'null/node/edge-1', object('Node', 'edge-1', 900, { metadata: { uid: 'old', namespace: undefined } })));
    await eventually(() => scene.acknowledged().length === 1);
    const sent = await scene.tell({ operation: 'patch', resource: 'null/nodepatch/edge-1', content: '{}' });
    await scene.fromCloud(cloudAnswer(sent, ok({ metadata: { name: 'edge-1', uid: 'new', resourceVersion: '5', creationTimestamp: '2025-01-01T00:00:00Z' }, spec: {} })));
    await scene.edged.next(({ header }) => header.parentId !== undefined);
    expect(scene.objects.identity({ namespace: 'null', type: 'node', name: 'edge-1' })).toMatchObject({ uid: 'new', resourceVersion: '5' });
  });
});

describe('what only passes through', () => {
  it('[metamanager-4.7] pod deletes leave the row until the cloud deletes it; their answer reaches edged', async () => {
    await using scene = await openScene({ connected: true });
    await scene.fromCloud(push('insert', 'default/pod/p', object('Pod', 'p', 1)));
    const content = { gracePeriodSeconds: 0, preconditions: { uid: 'uid-p' } };
    const sent = await scene.tell({ operation: 'delete', resource: 'default/pod/p', content });
    expect(await scene.hub.next(({ route }) => route.operation === 'delete')).toEqual(sent);
    const answer = cloudAnswer(sent, 'OK');
    await scene.fromCloud(answer);
    expect(await scene.edged.next(({ header }) => header.parentId !== undefined)).toEqual(answer);
    expect(scene.objects.identity(podPath)).toBeDefined();
  });

  it('[metamanager-4.8] events pass as they are and are not stored', async () => {
    await using scene = await openScene();
    const sent = [];
    for (const operation of ['insert', 'update', 'patch']) sent.push(await scene.tell({ operation, resource: 'default/event/e', content: { reason: operation } }));
    await eventually(() => scene.hub.received.length === 3);
    expect(scene.hub.received).toEqual(sent);
    expect(scene.objects.value('default/event/e')).toBeUndefined();
  });

  it('[metamanager-4.9] answers that come late are stored and acknowledged where the cloud waits, and edged hears of a change', async () => {
    const store = createMemoryStore();
    await using scene = await openScene({ store, connected: true, config: { remoteQueryTimeout: 0.05 } });
    await scene.ask({ operation: 'query', resource: 'default/configmap/cm' });
    const [asked] = scene.hub.received;
    if (!asked) throw new Error('nothing was asked');
    const late = cloudAnswer(asked, object('ConfigMap', 'cm', 4));
    await scene.fromCloud(late);
    await scene.fromCloud(late);
    await eventually(() => scene.acknowledged().length === 2);
    expect(scene.acknowledged()).toEqual([late.header.id, late.header.id]);
    expect(scene.edged.received.map(({ route }) => `${route.operation} ${route.resource}`)).toEqual(['update default/configmap/cm']);
  });

  it('[metamanager-6.1] volume operations reach edged side by side and their results the cloud', async () => {
    await using scene = await openScene({
      edged: (message) => (message.route.resource.endsWith('/slow') ? undefined : { volume: { id: 'v' } }),
    });
    const slow = push('createvolume', 'default/volume/slow', '{}', { source: 'cloudhub' });
    const quick = push('createvolume', 'default/volume/quick', '{}', { source: 'cloudhub' });
    await scene.fromCloud(slow);
    await scene.fromCloud(quick);
    const result = await scene.hub.next(({ route }) => route.resource === 'default/volume/quick');
    expect(result.header.parentId).toBe(quick.header.id);
    expect(result.route.operation).toBe('response');
    expect(JSON.parse(Buffer.from(String(result.content), 'base64').toString())).toEqual({ volume: { id: 'v' } });
    expect(scene.hub.received).toHaveLength(1);
  });

  it('[metamanager-6.2] volume operations that edged cannot do are answered with an error', async () => {
    await using scene = await openScene({ edged: (message) => ({ ...cloudAnswer(message, 'no such operation'), route: { ...message.route, operation: 'error' } }) });
    await scene.fromCloud(push('deletevolume', 'default/volume/v', '{}', { source: 'cloudhub' }));
    const result = await scene.hub.next(() => true);
    expect([result.route.operation, result.content]).toEqual(['error', 'no such operation']);
  });
});
