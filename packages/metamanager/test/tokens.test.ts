import { describe, expect, it } from 'vitest';
import { tokenKey } from '../src/values/token-key.js';
import { cloudAnswer, NOT_FOUND, openScene } from './scene.js';

const spec = (audiences: string[] | null = ['edge'], uid = 'u1') => ({
  audiences,
  expirationSeconds: 600,
  boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid },
});
const request = (given = spec()) => ({ metadata: { creationTimestamp: null }, spec: given, status: { token: '', expirationTimestamp: null } });
const issued = (token: string, lifeMs: number, given = spec()) => ({
  kind: 'TokenRequest',
  apiVersion: 'authentication.k8s.io/v1',
  metadata: { creationTimestamp: null },
  spec: given,
  status: { token, expirationTimestamp: new Date(Date.now() + lifeMs).toISOString() },
});
const query = (content: unknown) => ({ operation: 'query', resource: 'default/serviceaccounttoken/default', content });
const key = tokenKey('default', 'default', request());

describe('service account tokens', () => {
  it('[metamanager-5.6] are asked for once and then served from the database while fresh', async () => {
    await using scene = await openScene({ connected: true, cloud: () => issued('new', 600_000) });
    expect((await scene.ask(query(request()))).content).toMatchObject({ status: { token: 'new' } });
    const again = await scene.ask(query(request()));
    expect(again.route.source).toBe('metamanager');
    expect((again.content as string[]).map((text) => JSON.parse(text))).toMatchObject([{ status: { token: 'new' } }]);
    expect(scene.hub.received).toHaveLength(1);
    expect(scene.hub.received[0]?.content).toEqual(request());
    expect(scene.objects.value(key)).toContain('"token":"new"');
  });

  it('[metamanager-5.7] are never given to another account, audience or pod', async () => {
    await using scene = await openScene();
    await scene.objects.putValues([key], 'serviceaccounttoken', issued('mine', 600_000));
    for (const other of [request(spec(['other'])), request(spec(['edge'], 'u2')), request(spec(null))]) {
      expect((await scene.ask(query(other))).route.operation).toBe('error');
    }
    expect((await scene.ask({ ...query(request()), resource: 'default/serviceaccounttoken/other' })).route.operation).toBe('error');
    expect((await scene.ask(query(request()))).content).toHaveLength(1);
  });

  it('[metamanager-5.8] stay in use while valid when there is no new one, and are replaced when there is', async () => {
    let answer: unknown = NOT_FOUND;
    await using scene = await openScene({ cloud: () => answer });
    await scene.objects.putValues([key], 'serviceaccounttoken', issued('old', 60_000));
    expect((await scene.ask(query(request()))).content).toEqual([expect.stringContaining('"token":"old"')]);
    scene.connect();
    expect((await scene.ask(query(request()))).content).toEqual([expect.stringContaining('"token":"old"')]);
    expect(scene.objects.value(key)).toContain('"token":"old"');
    answer = issued('new', 600_000);
    expect((await scene.ask(query(request()))).content).toMatchObject({ status: { token: 'new' } });
    expect(scene.objects.value(key)).toContain('"token":"new"');
  });

  it('[metamanager-5.9] that have expired are given out while the cloud is out of reach, so that pods start again, and not when it refuses a new one', async () => {
    await using scene = await openScene({ cloud: () => NOT_FOUND });
    await scene.objects.putValues([key], 'serviceaccounttoken', issued('old', -1000));
    expect((await scene.ask(query(request()))).content).toEqual([expect.stringContaining('"token":"old"')]);
    scene.connect();
    expect((await scene.ask(query(request()))).content).toEqual(NOT_FOUND);
  });

  it('[metamanager-5.10] asked for without audiences are found again, though the cloud filled them in', async () => {
    const defaulted = issued('new', 600_000, spec(['https://kubernetes.default.svc']));
    await using scene = await openScene({ connected: true, cloud: () => defaulted });
    await scene.ask(query(request(spec(null))));
    await scene.ask(query(request(spec(null))));
    expect(scene.hub.received).toHaveLength(1);
    expect(scene.objects.value(tokenKey('default', 'default', defaulted))).toContain('"token":"new"');
  });

  it('[metamanager-5.11] are not made of errors, and an empty one is an error', async () => {
    for (const content of [NOT_FOUND, {}, issued('', 600_000), 'text']) {
      await using scene = await openScene({ connected: true, cloud: (message) => cloudAnswer(message, content) });
      expect((await scene.ask(query(request()))).content).toEqual(content);
      expect(scene.objects.valuesOf('serviceaccounttoken')).toEqual([]);
    }
  });

  it('[metamanager-5.12] that come too late for their asker are kept for the next question', async () => {
    await using scene = await openScene({ connected: true, config: { remoteQueryTimeout: 0.05 } });
    expect((await scene.ask(query(request()))).route.operation).toBe('error');
    const [asked] = scene.hub.received;
    if (asked) await scene.fromCloud(cloudAnswer(asked, issued('late', 600_000)));
    expect((await scene.ask(query(request()))).content).toEqual([expect.stringContaining('"token":"late"')]);
  });

  it('[metamanager-5.13] are recognised for metaserver when stored and valid, and the answer holds none', async () => {
    await using scene = await openScene();
    await scene.objects.putValues([key], 'serviceaccounttoken', issued('mine', 600_000));
    await scene.objects.putValues([tokenKey('default', 'old', request())], 'serviceaccounttoken', issued('past', -1000));
    const known = async (content: unknown) => (await scene.ask({ source: 'metaserver', operation: 'get', resource: 'stored/token', content })).content;
    expect(await known({ token: 'mine' })).toEqual({ known: true });
    for (const token of ['past', 'min', 'mine ', 'MINE']) expect(await known({ token })).toEqual({ known: false });
    for (const bad of [undefined, {}, { token: '' }, { token: 7 }, 'mine']) expect(await known(bad)).toMatch('needs the content');
    expect(scene.hub.received).toEqual([]);
  });
});
