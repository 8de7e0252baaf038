import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { builtinResources, type KubeObject } from '../src/index.js';
import { compileSelection } from '../src/selector/selection.js';
import { podDraft, TestServer, type Answer, type Json } from './helpers.js';

const MAPS = '/api/v1/namespaces/default/configmaps';

describe('answers', () => {
  it('[kubeapi-12.3] reads and watches show each state at once and never an older one, whatever is kept', async () => {
    for (const encodedBytes of [0, 2_000, 1_000_000]) {
      await using server = await TestServer.start({ encodedBytes });
      const maps = server.api.resource('v1', 'configmaps');
      const watching = server.watch(`${MAPS}?watch=1&resourceVersion=${server.store.resourceVersion}`, (events) => events.length >= 60);
      for (let i = 0; i < 60; i += 1) {
        const name = `m${i % 7}`;
        if (i < 7) await maps.create({ metadata: { name, namespace: 'default' }, data: { i: String(i) } });
        else await maps.modify(name, 'default', (map) => { map.data = { i: String(i) }; });
        const { text } = await server.call('GET', `${MAPS}/${name}`);
        expect(text).toBe(`${JSON.stringify(maps.find(name, 'default'))}\n`);
        if (i % 10 === 9) expect((await server.call('GET', MAPS)).text).toBe(`${JSON.stringify(await server.api.list({ group: '', version: 'v1', resource: 'configmaps', namespace: 'default' }))}\n`);
      }
      expect((await watching).map(({ object }) => object.data.i)).toEqual(Array.from({ length: 60 }, (_, i) => String(i)));
    }
  });

  it('[kubeapi-12.4] compresses large answers for clients that take it, and only those', async () => {
    await using server = await TestServer.start();
    const maps = server.api.resource('v1', 'configmaps');
    for (let i = 0; i < 3; i += 1) await maps.create({ metadata: { name: `m${i}`, namespace: 'default' }, data: { text: 'x'.repeat(60_000) } });
    const plain = await server.call('GET', MAPS);
    expect(plain.headers['content-encoding']).toBeUndefined();
    for (const [accepted, isCompressed] of [['gzip', true], ['br, gzip;q=0.5', true], ['deflate', false], ['gzip;q=0', false], ['x-gzip', false]] as const) {
      const response = await server.open('GET', MAPS, undefined, { 'Accept-Encoding': accepted });
      const chunks: Buffer[] = [];
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      expect(response.headers['content-encoding'], accepted).toBe(isCompressed ? 'gzip' : undefined);
      expect(isCompressed ? gunzipSync(body).toString() : body.toString(), accepted).toBe(plain.text);
      expect(Number(response.headers['content-length'])).toBe(body.length);
    }
    expect((await server.call('GET', `${MAPS}/m0`, undefined, { 'Accept-Encoding': 'gzip' })).headers['content-encoding']).toBeUndefined();
  });

  it('[kubeapi-12.5] writes JSON for people when asked, and says nothing in answer to HEAD', async () => {
    await using server = await TestServer.start();
    await server.call('POST', '/api/v1/namespaces/default/pods', podDraft('p'));
    const pretty = await server.call('GET', '/api/v1/namespaces/default/pods/p?pretty=true');
    expect(pretty.text).toBe(`${JSON.stringify(pretty.json as Json, undefined, 2)}\n`);
    expect((await server.call('GET', '/api/v1/namespaces/default/pods?pretty=false')).text).not.toContain('\n  ');
    const head = await server.call('HEAD', '/api/v1/namespaces/default/pods/p');
    expect(head).toMatchObject({ code: 200, text: '' });
    expect(Number(head.headers['content-length'])).toBeGreaterThan(200);
    expect((await server.call('HEAD', '/api/v1/namespaces/default/pods/q')).code).toBe(404);
    expect((await server.call('OPTIONS', '/api/v1/namespaces/default/pods')).json).toMatchObject({ kind: 'Status', code: 405 });
  });

  it('[kubeapi-12.6] says 410 for pages whose version is gone, with a token that goes on where they ended', async () => {
    await using server = await TestServer.start({}, [], 4);
    const maps = server.api.resource('v1', 'configmaps');
    const make = (name: string): Promise<unknown> => maps.create({ metadata: { name, namespace: 'default' } });
    for (const name of ['a', 'b', 'c', 'd', 'e']) await make(name);
    const page = async (token: string): Promise<Answer> => server.call('GET', `${MAPS}?limit=2&continue=${encodeURIComponent(token)}`);
    const names = ({ json }: Answer): string[] => json.items.map(({ metadata }: Json) => metadata.name as string);
    const first = await server.call('GET', `${MAPS}?limit=2`);
    for (let i = 0; i < 12; i += 1) await make(`b${i}`);
    const gone = await page(first.json.metadata.continue as string);
    expect(gone).toMatchObject({ code: 410, json: { kind: 'Status', reason: 'Expired', code: 410, metadata: { continue: expect.any(String) } } });
    const rest: string[] = [];
    let next: string | undefined = gone.json.metadata.continue;
    for (let i = 0; i < 20 && next !== undefined; i += 1) {
      const answer = await page(next);
      expect(answer.code).toBe(200);
      rest.push(...names(answer));
      next = answer.json.metadata.continue;
    }
    expect(rest).toEqual([...Array.from({ length: 12 }, (_, i) => `b${i}`).sort(), 'c', 'd', 'e']);
    const token = (version: number): string => Buffer.from(JSON.stringify([version, 'default/c'])).toString('base64url');
    expect((await page(token(999_999))).json).toMatchObject({ code: 410, metadata: { continue: token(-1) } });
    expect((await page(token(-2))).code).toBe(400);
  });

  it('[kubeapi-12.7] a Table leaves the objects that it shows as they are', async () => {
    await using server = await TestServer.start();
    const pods = server.api.resource('v1', 'pods');
    await pods.create({ ...podDraft('p'), metadata: { name: 'p', namespace: 'default' } });
    const names = ['a', 'b', 'c'];
    await pods.modify('p', 'default', (pod) => { pod.status = { phase: 'Running', containerStatuses: names.map((name) => ({ name, ready: true, restartCount: 0, state: { running: {} } })) }; }, { subresource: 'status' });
    const path = '/api/v1/namespaces/default/pods';
    for (let i = 0; i < 3; i += 1) {
      expect((await server.call('GET', path, undefined, { Accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' })).json.rows[0].cells.slice(0, 3)).toEqual(['p', '3/1', 'Running']);
      const { json } = await server.call('GET', `${path}?pretty=1`);
      expect(json.items[0].status.containerStatuses.map(({ name }: { name: string }) => name)).toEqual(names);
    }
  });

  it('[kubeapi-12.8] columns and fields of every kind bear objects that nobody has checked', () => {
    const odd = [null, 5, 'text', [], {}, [null], [5], [{}], { a: null }, [{ name: 5, state: 7, conditions: 'x' }]];
    for (const type of builtinResources()) {
      for (const value of odd) {
        for (const inner of odd) {
          const part = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner : {};
          const fields = Object.fromEntries(['containerStatuses', 'conditions', 'containers', 'initContainerStatuses', 'ports', 'rules', 'template', 'selector', 'addresses', 'loadBalancer', 'accessModes', 'capacity'].map((name) => [name, inner]));
          for (const metadata of [{ name: 'x', labels: value, annotations: value }, { name: 'x' }]) {
            const object = { apiVersion: 'v1', kind: type.kind, metadata, spec: value, status: { ...fields, ...part }, data: value, subsets: inner, endpoints: inner, ports: inner, rules: inner, involvedObject: inner } as unknown as KubeObject;
            for (const seen of [object, { ...object, spec: object.status, status: value } as unknown as KubeObject]) {
              for (const { value: cell } of type.tableColumns ?? []) cell(seen, new Date(0));
              for (const field of Object.values(type.selectableFields ?? {})) field(seen);
              compileSelection(type, { labelSelector: 'a=b,!c' })?.(seen);
            }
          }
        }
      }
    }
  });
});
