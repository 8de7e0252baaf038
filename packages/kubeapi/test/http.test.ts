import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiError, type ResourceType } from '../src/index.js';
import { podDraft, TestServer } from './helpers.js';

const PODS = '/api/v1/namespaces/default/pods';
const MAPS = '/api/v1/namespaces/default/configmaps';

let server: TestServer;
beforeEach(async () => { server = await TestServer.start({ bodyLimit: 100_000, checks: { disk: () => undefined } }); });
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  expect(server.errors).toEqual([]);
});

describe('objects over HTTP', () => {
  it('[kubeapi-7.1] creates, reads, replaces, patches in every form and deletes', async () => {
    expect((await server.call('POST', PODS, podDraft('p'))).code).toBe(201);
    const { json } = await server.call('GET', `${PODS}/p`);
    expect(json).toMatchObject({ kind: 'Pod', apiVersion: 'v1', metadata: { namespace: 'default' } });
    expect(await server.call('PUT', `${PODS}/p`, { ...json, metadata: { ...json.metadata, labels: { a: '1' } } })).toMatchObject({ code: 200, json: { metadata: { labels: { a: '1' } } } });
    expect((await server.call('PUT', `${PODS}/p`, json)).json).toMatchObject({ kind: 'Status', status: 'Failure', reason: 'Conflict', code: 409, details: { name: 'p', kind: 'pods' } });
    const patch = (type: string, body: unknown, path = ''): ReturnType<TestServer['call']> => server.call('PATCH', `${PODS}/p${path}`, JSON.stringify(body), { 'Content-Type': `application/${type}` });
    expect((await patch('merge-patch+json', { metadata: { labels: { b: '2' } } })).json.metadata.labels).toEqual({ a: '1', b: '2' });
    expect((await patch('json-patch+json', [{ op: 'remove', path: '/metadata/labels/a' }])).json.metadata.labels).toEqual({ b: '2' });
    expect((await patch('strategic-merge-patch+json; charset=utf-8', { spec: { containers: [{ name: 'c', image: 'j' }] } })).json.spec.containers[0]).toMatchObject({ image: 'j', imagePullPolicy: 'Always' });
    expect((await patch('merge-patch+json', { status: { phase: 'Running' }, spec: { nodeName: 'n' } }, '/status')).json).toMatchObject({ status: { phase: 'Running' } });
    expect((await server.call('GET', `${PODS}/p`)).json.spec.nodeName).toBeUndefined();
    expect(await patch('text', {})).toMatchObject({ code: 415, json: { reason: 'UnsupportedMediaType' } });
    expect(await server.call('DELETE', `${PODS}/p`)).toMatchObject({ code: 200, json: { kind: 'Status', status: 'Success', details: { name: 'p', uid: json.metadata.uid } } });
    expect(await server.call('GET', `${PODS}/p`)).toMatchObject({ code: 404, json: { reason: 'NotFound', message: 'pods "p" not found' } });
  });

  it('[kubeapi-7.2] reads DeleteOptions from body and query', async () => {
    await server.call('POST', PODS, podDraft('p', { nodeName: 'n' }));
    expect((await server.call('DELETE', `${PODS}/p`, { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: 'x' } })).code).toBe(409);
    expect((await server.call('DELETE', `${PODS}/p?dryRun=All&gracePeriodSeconds=0`)).code).toBe(200);
    expect((await server.call('DELETE', `${PODS}/p`, { gracePeriodSeconds: 7, propagationPolicy: 'Background' })).json.metadata).toMatchObject({ deletionGracePeriodSeconds: 7 });
    expect((await server.call('DELETE', `${PODS}/p?gracePeriodSeconds=0`)).json.status).toBe('Success');
    expect((await server.call('DELETE', `${PODS}?labelSelector=a%3Db`)).json).toMatchObject({ kind: 'PodList', items: [] });
    expect((await server.call('DELETE', `${PODS}/p`, { propagationPolicy: 'Sideways' })).code).toBe(400);
  });

  it('[kubeapi-7.3] takes and gives YAML', async () => {
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {a: "1"}\n';
    expect((await server.call('POST', MAPS, yaml, { 'Content-Type': 'application/yaml' })).code).toBe(201);
    const answer = await server.call('GET', `${MAPS}/cm`, undefined, { Accept: 'application/yaml' });
    expect(answer.headers['content-type']).toBe('application/yaml');
    expect(answer.text).toContain('data:\n  a: "1"\n');
    expect((await server.call('PATCH', `${MAPS}/new?fieldManager=me`, 'apiVersion: v1\nkind: ConfigMap\ndata: {x: y}\n', { 'Content-Type': 'application/apply-patch+yaml' }))).toMatchObject({ code: 201, json: { metadata: { name: 'new' } } });
    expect((await server.call('PATCH', `${MAPS}/new`, '{}', { 'Content-Type': 'application/apply-patch+yaml' })).code).toBe(400);
  });

  it('[kubeapi-7.4] gives tables and metadata alone', async () => {
    await server.call('POST', PODS, podDraft('p'));
    const table = await server.call('GET', PODS, undefined, { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' });
    expect(table.json).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1', rows: [{ cells: ['p', '0/1', 'Pending', '0', expect.any(String), '<none>', '<none>', '<none>', '<none>'], object: { kind: 'PartialObjectMetadata', metadata: { name: 'p' } } }] });
    expect(table.json.columnDefinitions.map((c: { name: string }) => c.name)).toEqual(['Name', 'Ready', 'Status', 'Restarts', 'Age', 'IP', 'Node', 'Nominated Node', 'Readiness Gates']);
    const partial = await server.call('GET', PODS, undefined, { Accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' });
    expect(partial.json).toMatchObject({ kind: 'PartialObjectMetadataList', items: [{ kind: 'PartialObjectMetadata', metadata: { name: 'p' } }] });
    expect(partial.json.items[0].spec).toBeUndefined();
    expect((await server.call('GET', PODS, undefined, { Accept: 'application/vnd.kubernetes.protobuf' })).code).toBe(406);
    expect((await server.call('GET', PODS, undefined, { Accept: 'application/vnd.kubernetes.protobuf, */*' })).code).toBe(200);
  });

  it('[kubeapi-7.5] selects, pages, and answers versions that are too new or unknown', async () => {
    for (const name of ['a', 'b', 'c']) await server.call('POST', MAPS, { metadata: { name, labels: { n: name } } });
    const names = async (query: string): Promise<string[]> => (await server.call('GET', `${MAPS}?${query}`)).json.items.map((i: { metadata: { name: string } }) => i.metadata.name);
    expect(await names(`labelSelector=${encodeURIComponent('n in (a,c)')}`)).toEqual(['a', 'c']);
    expect(await names('fieldSelector=metadata.name%3Db')).toEqual(['b']);
    const page = await server.call('GET', `${MAPS}?limit=2`);
    expect(await names(`limit=2&continue=${page.json.metadata.continue}`)).toEqual(['c']);
    expect(await server.call('GET', `${MAPS}?resourceVersion=999999`)).toMatchObject({ code: 504, json: { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } } });
    for (const bad of ['resourceVersion=abc', 'labelSelector=%3D%3D', 'fieldSelector=spec.x%3D1', 'limit=-1', 'resourceVersionMatch=Exact', 'continue=zzz', 'watch=perhaps']) {
      expect((await server.call('GET', `${MAPS}?${bad}`)).code, bad).toBe(400);
    }
    expect(await names(`resourceVersion=${page.json.metadata.resourceVersion}&resourceVersionMatch=Exact`)).toEqual(['a', 'b', 'c']);
  });

  it('[kubeapi-7.6] writes warnings as headers', async () => {
    await server.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'things.x.io' }, spec: { group: 'x.io', scope: 'Cluster', names: { plural: 'things', kind: 'Thing' }, versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }] },
    });
    const answer = await server.call('POST', '/apis/x.io/v1/things', { metadata: { name: 't' }, odd: 1 });
    expect(answer.headers.warning).toBe('299 - "unknown field \\"odd\\""');
    expect((await server.call('POST', '/apis/x.io/v1/things?fieldValidation=Strict', { metadata: { name: 'u' }, odd: 1 })).code).toBe(400);
  });

  it('[kubeapi-7.7] refuses bodies that are too large, too deep, no JSON, YAML bombs', async () => {
    const post = (body: string, type = 'application/json'): ReturnType<TestServer['call']> => server.call('POST', MAPS, body, { 'Content-Type': type });
    expect(await post(JSON.stringify({ metadata: { name: 'x' }, data: { a: 'x'.repeat(200_000) } }))).toMatchObject({ code: 413 });
    expect(await post(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`)).toMatchObject({ code: 400 });
    expect(await post('{')).toMatchObject({ code: 400, json: { reason: 'BadRequest' } });
    expect(await post('')).toMatchObject({ code: 400 });
    expect(await post('x', 'text/plain')).toMatchObject({ code: 415 });
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefghi'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)].join('\n');
    expect(await post(bomb, 'application/yaml')).toMatchObject({ code: 400 });
  });
});

describe('paths', () => {
  it('[kubeapi-7.8] answers what it does not serve with a Status', async () => {
    for (const path of ['/nope', '/api/v2', '/api/v1/gizmos', '/apis/no.such/v1', '/apis/apps/v9/deployments', '/api/v1/pods/x', '/api/v1/namespaces/default/nodes', `${PODS}/p/gizmo`, `${PODS}/p/log`, '/openapi/v3/apis/x/y', '/healthz/nope']) {
      expect(await server.call('GET', path), path).toMatchObject({ code: 404, json: { kind: 'Status', reason: 'NotFound' } });
    }
    expect(await server.call('DELETE', '/version')).toMatchObject({ code: 405 });
    expect(await server.call('PUT', PODS, {})).toMatchObject({ code: 405 });
    for (const path of ['/api/v1/namespaces/../secrets', '/api/v1/namespaces/%2e%2e/secrets', '/api/v1/namespaces/a%2Fb/pods', '/api/v1/namespaces/%zz/pods']) {
      expect((await server.call('GET', path)).code, path).toBe(400);
    }
  });

  it('[kubeapi-7.9] answers discovery in plain and aggregated form, with CRDs, and version and health', async () => {
    expect((await server.call('GET', '/api')).json).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    expect((await server.call('GET', '/apis')).json.groups.map((g: { name: string }) => g.name)).toContain('apps');
    expect((await server.call('GET', '/apis/apps')).json).toMatchObject({ kind: 'APIGroup', name: 'apps', preferredVersion: { groupVersion: 'apps/v1' } });
    const list = (await server.call('GET', '/api/v1')).json;
    expect(list.resources.find((r: { name: string }) => r.name === 'pods')).toMatchObject({ kind: 'Pod', namespaced: true, shortNames: ['po'], singularName: 'pod', categories: ['all'] });
    expect(list.resources.map((r: { name: string }) => r.name)).toEqual(expect.arrayContaining(['pods/status', 'pods/log', 'nodes']));
    const aggregated = await server.call('GET', '/apis', undefined, { Accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json' });
    expect(aggregated.headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    expect(aggregated.json.items.find((g: { metadata: { name: string } }) => g.metadata.name === 'apps').versions[0].resources[0]).toMatchObject({ resource: 'daemonsets', scope: 'Namespaced' });
    expect((await server.call('GET', '/version')).json).toMatchObject({ major: '1', gitVersion: expect.stringMatching(/^v1\./) });
    for (const path of ['/healthz', '/livez', '/readyz', '/readyz/disk']) expect(await server.call('GET', path)).toMatchObject({ code: 200, text: 'ok' });
    expect((await server.call('GET', '/readyz?verbose')).text).toContain('[+]disk ok');
    expect((await server.call('GET', '/openapi/v3')).json.paths['apis/apps/v1'].serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=/);
    expect((await server.call('GET', '/openapi/v3/apis/apps/v1')).json.openapi).toBe('3.0.0');
    const protobuf = await server.open('GET', '/openapi/v2', undefined, { Accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' });
    expect(protobuf.headers['content-type']).not.toContain('@');
    protobuf.resume();
  });
});

describe('access', () => {
  it('[kubeapi-7.10] asks for a token everywhere but at health and version, and passes the user to the authorizer', async () => {
    const asked: string[] = [];
    await using guarded = await TestServer.start({
      authenticate: (request) => (request.headers.authorization === 'Bearer good' ? { name: 'ann', groups: ['g'] } : undefined),
      authorize: ({ user, verb, ref, path }) => {
        asked.push(`${user.name} ${verb} ${ref?.resource ?? path}`);
        return ref?.resource === 'secrets' ? 'secrets are secret' : true;
      },
    });
    const good = { Authorization: 'Bearer good' };
    expect(await guarded.call('GET', '/api/v1/pods')).toMatchObject({ code: 401, json: { reason: 'Unauthorized' }, headers: { 'www-authenticate': 'Bearer' } });
    expect((await guarded.call('GET', '/api/v1/pods', undefined, { Authorization: 'Bearer bad' })).code).toBe(401);
    expect((await guarded.call('GET', '/healthz')).code).toBe(200);
    expect((await guarded.call('GET', '/api/v1/pods', undefined, good)).code).toBe(200);
    expect((await guarded.call('GET', '/api/v1/pods?watch=true&timeoutSeconds=1', undefined, good)).code).toBe(200);
    expect(await guarded.call('GET', '/api/v1/secrets', undefined, good)).toMatchObject({ code: 403, json: { reason: 'Forbidden', message: expect.stringContaining('secrets are secret') } });
    expect(asked).toEqual(['system:anonymous get /healthz', 'ann list pods', 'ann watch pods', 'ann list secrets']);
  });

  it('[kubeapi-7.11] hands subresources to their handlers and hides what goes wrong inside', async () => {
    await using custom = await TestServer.start({}, [
      { group: '', plural: 'pods', subresource: 'binding', handle: async (request) => ({ kind: 'Status', status: 'Success', echo: request.ref.name, body: request.body }) },
      { group: '', plural: 'pods', subresource: 'log', stream: async (request, { response }) => { response.end(`log of ${request.ref.name} ${request.query.get('container') ?? ''}`); } },
      { group: '', plural: 'pods', subresource: 'eviction', handle: async () => { throw new Error('secret detail'); } },
    ]);
    expect(await custom.call('POST', `${PODS}/p/binding`, { target: { name: 'n' } })).toMatchObject({ code: 201, json: { echo: 'p', body: { target: { name: 'n' } } } });
    expect((await custom.call('GET', `${PODS}/p/log?container=c`)).text).toBe('log of p c');
    const failed = await custom.call('POST', `${PODS}/p/eviction`, {});
    expect(failed).toMatchObject({ code: 500, json: { reason: 'InternalError' } });
    expect(failed.text).not.toContain('secret detail');
    expect(custom.errors).toHaveLength(1);
  });
});

describe('hook', () => {
  it('[kubeapi-7.12] lets its owner see a request first: answer it, teach the registry a type, or refuse', async () => {
    const seen: string[] = [];
    const lessons: (() => void)[] = [];
    await using hooked = await TestServer.start({
      authorize: ({ path }) => (path.startsWith('/apis/secret') ? 'secret' : true),
      onRequest: ({ method, path, ref, response }) => {
        seen.push(`${method} ${ref?.resource ?? path}`);
        if (path === '/version') {
          response.end('mine');
          return true;
        }
        if (ref?.resource === 'refused') throw new ApiError('ServiceUnavailable', 'not now');
        if (ref?.resource === 'gauges') lessons.pop()?.();
        return false;
      },
    });
    lessons.push(() => hooked.api.registry.register({ group: 'sea', version: 'v1', plural: 'gauges', singular: 'gauge', kind: 'Gauge', namespaced: true, verbs: ['list'], storedAs: 'sea/v1/gauges' }));
    expect((await hooked.call('GET', '/version')).text).toBe('mine');
    expect((await hooked.call('GET', '/apis/sea/v1/gauges')).json).toMatchObject({ kind: 'GaugeList', items: [] });
    expect((await hooked.call('GET', '/apis/x/v1/refused')).code).toBe(503);
    expect((await hooked.call('GET', '/apis/secret/v1/refused')).code).toBe(403);
    expect((await hooked.call('GET', '/healthz')).text).toBe('ok');
    expect(seen).toEqual(['GET /version', 'GET gauges', 'GET refused', 'GET /healthz']);
  });

  it('[kubeapi-7.13] keeps versions apart that name places of their own', async () => {
    await using server = await TestServer.start();
    const type = (version: string): ResourceType => ({ group: 'sea', version, plural: 'tides', singular: 'tide', kind: 'Tide', namespaced: true, verbs: ['list', 'create'], storedAs: `sea/${version}/tides` });
    for (const version of ['v1', 'v2']) server.api.registry.register(type(version));
    expect((await server.call('POST', '/apis/sea/v1/namespaces/default/tides', { metadata: { name: 'high' } })).code).toBe(201);
    expect((await server.call('GET', '/apis/sea/v1/tides')).json.items).toHaveLength(1);
    expect((await server.call('GET', '/apis/sea/v2/tides')).json.items).toEqual([]);
  });
});
