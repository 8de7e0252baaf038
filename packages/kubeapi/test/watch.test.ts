import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { podDraft, TestServer } from './helpers.js';

const PODS = '/api/v1/namespaces/default/pods';
const MAPS = '/api/v1/namespaces/default/configmaps';
const until = async (check: () => boolean, what: string): Promise<void> => {
  for (let i = 0; i < 500; i += 1) {
    if (check()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain until ${what}`);
};

describe('watch over HTTP', () => {
  it('[kubeapi-8.1] streams changes after a version, each once, and ends at its time-out with a bookmark', async () => {
    await using server = await TestServer.start();
    const { json } = await server.call('GET', PODS);
    const watching = server.watch(`${PODS}?watch=1&resourceVersion=${json.metadata.resourceVersion}&allowWatchBookmarks=true&timeoutSeconds=1`);
    await until(() => server.server.watches === 1, 'the watch is open');
    await server.call('POST', PODS, podDraft('p'));
    await server.call('DELETE', `${PODS}/p`);
    const events = await watching;
    expect(events.map((e) => e.type)).toEqual(['ADDED', 'DELETED', 'BOOKMARK']);
    expect(Number(events[1]?.object.metadata.resourceVersion)).toBeGreaterThan(Number(events[0]?.object.metadata.resourceVersion));
    expect(events[2]?.object.metadata.resourceVersion).toBe(events[1]?.object.metadata.resourceVersion);
    expect(server.server.watches).toBe(0);
  });

  it('[kubeapi-8.2] answers a version that history does not reach with one ERROR event, code 410', async () => {
    await using server = await TestServer.start({}, [], 3);
    const maps = server.api.resource('v1', 'configmaps');
    for (let i = 0; i < 10; i += 1) await maps.create({ metadata: { name: `m${i}`, namespace: 'default' } });
    for (const version of ['2', '99999']) {
      const events = await server.watch(`${MAPS}?watch=true&resourceVersion=${version}`);
      expect(events).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }]);
    }
  });

  it('[kubeapi-8.3] gives initial events and marks their end when asked', async () => {
    await using server = await TestServer.start();
    await server.call('POST', PODS, podDraft('p'));
    const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const events = await server.watch(`${PODS}?${query}`, (seen) => seen.length >= 2);
    expect(events).toMatchObject([{ type: 'ADDED' }, { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } }]);
    expect(await server.watch(`${PODS}?watch=1&sendInitialEvents=true`)).toMatchObject([{ type: 'ERROR', object: { code: 400 } }]);
  });

  it('[kubeapi-8.4] watches one object by its path, tables, metadata, and under the old prefix', async () => {
    await using server = await TestServer.start();
    await server.call('POST', PODS, podDraft('p'));
    await server.call('POST', PODS, podDraft('q'));
    const one = (seen: unknown[]): boolean => seen.length >= 1;
    expect((await server.watch(`${PODS}/q?watch=true`, one))[0]?.object.metadata.name).toBe('q');
    expect((await server.watch('/api/v1/watch/namespaces/default/pods/q', one))[0]?.object.metadata.name).toBe('q');
    expect((await server.watch(`${PODS}?watch=true`, one, { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }))[0]).toMatchObject({ type: 'ADDED', object: { kind: 'Table', rows: [{ cells: expect.arrayContaining(['p']) }] } });
    expect((await server.watch(`${PODS}?watch=true`, one, { Accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' }))[0]?.object.kind).toBe('PartialObjectMetadata');
  });

  it('[kubeapi-8.5] sends bookmarks while nothing happens', async () => {
    await using server = await TestServer.start({ bookmarkInterval: 20 });
    const events = await server.watch(`${PODS}?watch=1&allowWatchBookmarks=true`, (seen) => seen.length >= 2);
    expect(events.every((e) => e.type === 'BOOKMARK')).toBe(true);
    expect(await server.watch(`${PODS}?watch=1&timeoutSeconds=1`)).toEqual([]);
  });

  it('[kubeapi-8.6] cuts a watcher that does not read and keeps the others whole', async () => {
    await using server = await TestServer.start({ watchBufferBytes: 2 * 1024 * 1024 });
    const lazy = connect(server.port, '127.0.0.1');
    lazy.on('error', () => undefined);
    lazy.pause();
    lazy.write(`GET ${MAPS}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n`);
    const reading = server.watch(`${MAPS}?watch=1`, (seen) => seen.some((e) => e.object.metadata.name === 'last'));
    await until(() => server.server.watches === 2, 'both watches are open');
    const maps = server.api.resource('v1', 'configmaps');
    const data = { big: 'x'.repeat(100_000) };
    let written = 0;
    for (; written < 400 && server.server.watches === 2; written += 1) {
      await maps.create({ metadata: { name: `m${written}`, namespace: 'default' }, data });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(server.server.watches).toBe(1);
    await maps.create({ metadata: { name: 'last', namespace: 'default' } });
    expect((await reading).filter((e) => e.type === 'ADDED')).toHaveLength(written + 1);
    lazy.destroy();
  });

  it('[kubeapi-8.7] gives a watcher more initial events than its buffer holds', async () => {
    await using server = await TestServer.start({ watchBufferBytes: 10_000 });
    const maps = server.api.resource('v1', 'configmaps');
    for (let i = 0; i < 100; i += 1) await maps.create({ metadata: { name: `m${i}`, namespace: 'default' }, data: { big: 'x'.repeat(20_000) } });
    expect(await server.watch(`${MAPS}?watch=1`, (seen) => seen.length >= 100)).toHaveLength(100);
  });

  it('[kubeapi-8.8] brings every one of many watchers, coming and going under random writes, to the state of the store', async () => {
    await using server = await TestServer.start();
    const maps = server.api.resource('v1', 'configmaps');
    const name = (): string => `m${Math.floor(Math.random() * 20)}`;
    let writing = true;
    const follow = async (): Promise<Map<string, string>> => {
      const view = new Map<string, string>();
      const list = (await server.call('GET', MAPS)).json;
      for (const item of list.items) view.set(item.metadata.name, item.metadata.resourceVersion);
      let version: string = list.metadata.resourceVersion;
      const done = (): boolean => !writing && Number(version) >= server.store.resourceVersion;
      for (let round = 0; round < 200 && !done(); round += 1) {
        const cut = 1 + Math.floor(Math.random() * 30);
        const events = await server.watch(`${MAPS}?watch=1&resourceVersion=${version}&allowWatchBookmarks=true&timeoutSeconds=1`, (seen) => seen.length >= cut);
        for (const event of events) {
          const { metadata } = event.object;
          expect(Number(metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(version));
          if (event.type === 'ADDED') expect(view.has(metadata.name)).toBe(false);
          if (event.type === 'MODIFIED') expect(view.has(metadata.name)).toBe(true);
          if (event.type === 'DELETED') expect(view.delete(metadata.name)).toBe(true);
          if (event.type === 'ADDED' || event.type === 'MODIFIED') view.set(metadata.name, metadata.resourceVersion);
          version = metadata.resourceVersion;
        }
      }
      return view;
    };
    const followers = Array.from({ length: 12 }, () => follow());
    for (let i = 0; i < 1500; i += 1) {
      const target = name();
      if (maps.find(target, 'default') === undefined) await maps.create({ metadata: { name: target, namespace: 'default' } });
      else if (Math.random() < 0.3) await maps.delete(target, 'default');
      else await maps.patch(target, 'default', { type: 'merge', body: { data: { i: String(i) } } });
      if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    writing = false;
    const expected = new Map(server.store.list({ resource: 'configmaps' }).items.map((o) => [o.metadata.name, o.metadata.resourceVersion]));
    for (const view of await Promise.all(followers)) expect(view).toEqual(expected);
  });
});
