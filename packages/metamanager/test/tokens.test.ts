import { createMemoryStore } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { tokenKey } from '../src/values/token-key.js';
import { cloudAnswer, eventually, NOT_FOUND, object, openScene, push, type Scene } from './scene.js';
import { clearRows, sealedRows, storeAsUpstream, storedTokenKeys, tokenQuery, tokenRequest } from './token-scene.js';

const RESOURCE = 'default/serviceaccounttoken/default';
const query = (content: unknown, resource = RESOURCE) => ({ operation: 'query', resource, content });
const key = tokenKey('default', 'default', tokenQuery());
/** The token in an answer, whatever its form. */
async function tokenOf(scene: Scene, content: unknown = tokenQuery(), resource = RESOURCE, source = 'edged'): Promise<string | undefined> {
  const answer = (await scene.ask({ ...query(content, resource), source })).content;
  const request = (Array.isArray(answer) ? JSON.parse(answer[0] as string) : answer) as { status?: { token?: string } };
  return request.status?.token;
}

describe('service account tokens', () => {
  it('[metamanager-5.6] are asked for once and then served from what is stored while fresh', async () => {
    await using scene = await openScene({ connected: true, cloud: () => tokenRequest('new', 600_000) });
    expect((await scene.ask(query(tokenQuery()))).content).toMatchObject({ status: { token: 'new' } });
    const again = await scene.ask(query(tokenQuery()));
    expect(again.route.source).toBe('metamanager');
    expect((again.content as string[]).map((text) => JSON.parse(text) as unknown)).toMatchObject([{ status: { token: 'new' } }]);
    expect(scene.hub.received).toHaveLength(1);
    expect(scene.hub.received[0]?.content).toEqual(tokenQuery());
    expect(storedTokenKeys(scene.store)).toEqual([key]);
  });

  it('[metamanager-5.7] are never given to another account, audience or pod', async () => {
    const store = createMemoryStore();
    await storeAsUpstream(store, key, tokenRequest('mine', 600_000));
    await using scene = await openScene({ store });
    for (const other of [tokenQuery({ audiences: ['other'] }), tokenQuery({ uid: 'u2' }), tokenQuery({ audiences: null }), tokenQuery({ expirationSeconds: 601 })]) {
      expect((await scene.ask(query(other))).route.operation).toBe('error');
    }
    expect((await scene.ask(query(tokenQuery(), 'default/serviceaccounttoken/other'))).route.operation).toBe('error');
    expect((await scene.ask(query(tokenQuery(), 'other/serviceaccounttoken/default'))).route.operation).toBe('error');
    expect(await tokenOf(scene)).toBe('mine');
  });

  it('[metamanager-5.8] stay in use while valid when there is no new one, and are replaced when there is', async () => {
    const store = createMemoryStore();
    let answer: unknown = NOT_FOUND;
    await storeAsUpstream(store, key, tokenRequest('old', 60_000));
    await using scene = await openScene({ store, cloud: () => answer });
    expect(await tokenOf(scene)).toBe('old');
    scene.connect();
    expect(await tokenOf(scene)).toBe('old');
    answer = tokenRequest('new', 600_000);
    expect(await tokenOf(scene)).toBe('new');
    expect(await tokenOf(scene)).toBe('new');
    expect(storedTokenKeys(store)).toEqual([key]);
  });

  it('[metamanager-5.9] that have expired are given out while the cloud is out of reach, so that pods start again, and not when it refuses a new one', async () => {
    const store = createMemoryStore();
    let answer: unknown = { ErrStatus: { status: 'Failure', message: 'etcd is away', reason: 'InternalError', code: 500 } };
    await storeAsUpstream(store, key, tokenRequest('old', -1000));
    await using scene = await openScene({ store, cloud: () => answer });
    expect(await tokenOf(scene)).toBe('old');
    scene.connect();
    // The cloud could not look, which is no refusal.
    expect(await tokenOf(scene)).toBe('old');
    answer = NOT_FOUND;
    expect((await scene.ask(query(tokenQuery()))).content).toEqual(NOT_FOUND);
  });

  it('[metamanager-5.10] asked for without audiences are found again, though the cloud filled them in', async () => {
    const defaulted = tokenRequest('new', 600_000, { audiences: ['https://kubernetes.default.svc'] });
    await using scene = await openScene({ connected: true, cloud: () => defaulted });
    for (const _ of [1, 2]) expect(await tokenOf(scene, tokenQuery({ audiences: null }))).toBe('new');
    expect(scene.hub.received).toHaveLength(1);
  });

  it('[metamanager-5.11] are not made of errors, and an empty one is an error', async () => {
    for (const content of [NOT_FOUND, {}, tokenRequest('', 600_000), 'text']) {
      await using scene = await openScene({ connected: true, cloud: (message) => cloudAnswer(message, content) });
      expect((await scene.ask(query(tokenQuery()))).content).toEqual(content);
      expect(storedTokenKeys(scene.store)).toEqual([]);
    }
  });

  it('[metamanager-5.12] that come too late for their asker are kept for the next question', async () => {
    await using scene = await openScene({ connected: true, config: { remoteQueryTimeout: 0.05 } });
    expect((await scene.ask(query(tokenQuery({ audiences: null })))).route.operation).toBe('error');
    const [asked] = scene.hub.received;
    if (asked) await scene.fromCloud(cloudAnswer(asked, tokenRequest('late', 600_000, { audiences: ['filled in'] })));
    await eventually(() => storedTokenKeys(scene.store).length === 1);
    scene.disconnect();
    expect(await tokenOf(scene, tokenQuery({ audiences: null }))).toBe('late');
  });

  it('[metamanager-5.13] are recognised for metaserver when stored and valid, and the answer holds none', async () => {
    const store = createMemoryStore();
    await storeAsUpstream(store, key, tokenRequest('mine', 600_000));
    await storeAsUpstream(store, tokenKey('default', 'old', tokenQuery()), tokenRequest('past', -1000));
    await using scene = await openScene({ store });
    const known = async (content: unknown) => (await scene.ask({ source: 'metaserver', operation: 'get', resource: 'stored/token', content })).content;
    expect(await known({ token: 'mine' })).toEqual({ known: true });
    for (const token of ['past', 'min', 'mine ', 'MINE']) expect(await known({ token })).toEqual({ known: false });
    for (const bad of [undefined, {}, { token: '' }, { token: 7 }, 'mine']) expect(await known(bad)).toMatch('needs the content');
    expect(scene.hub.received).toEqual([]);
  });

  it('[metamanager-5.14] asked for by many at the same time are one question; the others wait until there is a place', async () => {
    const open: (() => void)[] = [];
    let most = 0;
    await using scene = await openScene({
      connected: true,
      cloud: async (message) => {
        await new Promise<void>((resolve) => { most = Math.max(most, open.push(resolve)); });
        return cloudAnswer(message, tokenRequest('new', 600_000));
      },
    });
    const same = Array.from({ length: 20 }, () => tokenOf(scene));
    const others = Array.from({ length: 30 }, (_, index) => tokenOf(scene, tokenQuery({ uid: `other-${index}` })));
    await eventually(() => open.length === 8);
    while (scene.hub.received.length < 31 || open.length > 0) {
      open.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(new Set(await Promise.all([...same, ...others]))).toEqual(new Set(['new']));
    expect(scene.hub.received).toHaveLength(31);
    expect(most).toBe(8);
  });

  it('[metamanager-5.15] asked for through the local API are what the cloud says while it answers, else a valid one that is stored, never an expired one', async () => {
    const store = createMemoryStore();
    await storeAsUpstream(store, key, tokenRequest('stored', 500_000));
    await storeAsUpstream(store, tokenKey('default', 'other', tokenQuery()), tokenRequest('past', -1000));
    let answer: unknown = tokenRequest('new', 600_000);
    await using scene = await openScene({ store, connected: true, cloud: () => answer });
    expect(await tokenOf(scene, tokenQuery(), RESOURCE, 'metaserver')).toBe('new');
    expect(scene.hub.received.at(-1)?.route.source).toBe('edged');
    answer = NOT_FOUND;
    expect((await scene.ask({ ...query(tokenQuery()), source: 'metaserver' })).content).toEqual(NOT_FOUND);
    scene.disconnect();
    expect(await tokenOf(scene, tokenQuery(), RESOURCE, 'metaserver')).toBe('new');
    const past = await scene.ask({ ...query(tokenQuery(), 'default/serviceaccounttoken/other'), source: 'metaserver' });
    expect(past.route.operation).toBe('error');
  });

  it('[metamanager-5.16] need a question that is one', async () => {
    await using scene = await openScene({ connected: true });
    const spec = tokenQuery().spec;
    for (const content of [null, {}, { spec: 7 }, { spec: { ...spec, audiences: 'edge' } }, { spec: { ...spec, audiences: [1] } }, { spec: { ...spec, expirationSeconds: '9' } }, { spec: { ...spec, boundObjectRef: { uid: 1 } } }]) {
      expect(await scene.ask(query(content))).toMatchObject({ route: { operation: 'error' }, content: expect.stringContaining(`query ${RESOURCE} needs`) });
    }
    expect(scene.hub.received).toEqual([]);
  });

  it('[metamanager-5.17] go with their pod, also when another pod has taken its name', async () => {
    const store = createMemoryStore();
    await using scene = await openScene({ store, connected: true, cloud: ({ content, route }) => (route.operation === 'query' ? { ...(content as object), status: { token: 'new', expirationTimestamp: new Date(Date.now() + 600_000).toISOString() } } : undefined) });
    const pod = (uid: string, version: number) => object('Pod', 'p', version, { metadata: { uid, creationTimestamp: `2026-01-01T00:00:0${version}Z` } });
    await scene.fromCloud(push('insert', 'default/pod/p', pod('u1', 1)));
    await eventually(() => scene.acknowledged().length === 1);
    await tokenOf(scene, tokenQuery({ uid: 'u1' }));
    await tokenOf(scene, tokenQuery({ uid: 'u2' }));
    await scene.fromCloud(push('insert', 'default/pod/p', pod('u2', 2)));
    await eventually(() => storedTokenKeys(store).length === 1);
    expect(storedTokenKeys(store)[0]).toContain('UID:"u2"');
    await scene.fromCloud(push('delete', 'default/pod/p', { metadata: { name: 'p', namespace: 'default', uid: 'u2' } }));
    await eventually(() => storedTokenKeys(store).length === 0);
    scene.disconnect();
    expect((await scene.ask(query(tokenQuery({ uid: 'u2' })))).route.operation).toBe('error');
  });

  it('[metamanager-5.18] lie in no table in clear', async () => {
    await using scene = await openScene({ connected: true, cloud: () => tokenRequest('a-very-secret-token', 600_000) });
    await tokenOf(scene);
    expect(clearRows(scene.store)).toEqual([]);
    expect(sealedRows(scene.store)).toHaveLength(1);
    expect(JSON.stringify(sealedRows(scene.store))).not.toContain('a-very-secret-token');
  });
});
