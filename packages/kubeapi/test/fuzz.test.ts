import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { podDraft, TestServer } from './helpers.js';

const RUNS = 300;
const isStatus = (json: unknown): boolean => typeof json === 'object' && json !== null && (json as { kind?: string }).kind === 'Status';

/** Text that looks like a path, a selector or a name, with the odd thing in it. */
const odd = fc.oneof(
  fc.constantFrom('pods', 'default', 'namespaces', 'p', 'status', 'scale', '..', '.', '', '%2e%2e', '%00', '%', '__proto__', 'constructor', 'watch', '%C3%BC', 'a'.repeat(300)),
  fc.string({ maxLength: 8 }).map((text) => encodeURIComponent(text)),
);
const path = fc.tuple(fc.constantFrom('/api/v1', '/apis/apps/v1', '/apis', '/api', '/openapi', ''), fc.array(odd, { maxLength: 6 })).map(([root, rest]) => [root, ...rest].join('/'));

describe('hostile input', () => {
  it('[kubeapi-11.1] answers every path with success or a Status, and stays whole', async () => {
    await using server = await TestServer.start();
    await fc.assert(fc.asyncProperty(fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'), path, async (method, target) => {
      const answer = await server.call(method, target.startsWith('/') ? target : `/${target}`, undefined, { 'Content-Type': 'application/merge-patch+json' });
      expect(answer.code).toBeLessThan(500);
      if (answer.code >= 400) expect(isStatus(answer.json)).toBe(true);
    }), { numRuns: RUNS });
    expect(server.errors).toEqual([]);
    // Any object may be gone by now, rightly deleted by one of the requests; a new one must still find its place.
    expect((await server.call('POST', '/api/v1/namespaces', { metadata: { name: 'afterwards' } })).code).toBe(201);
    expect((await server.call('GET', '/api/v1/namespaces/afterwards')).code).toBe(200);
  });

  it('[kubeapi-11.2] answers every selector with a list or a bad request', async () => {
    await using server = await TestServer.start();
    const text = fc.array(fc.constantFrom('a', 'b.c/d', '=', '==', '!=', '!', ',', '(', ')', ' in ', ' notin ', '<', '>', '1', '\\', 'metadata.name', 'é', ' '), { maxLength: 8 }).map((parts) => parts.join(''));
    await fc.assert(fc.asyncProperty(fc.constantFrom('labelSelector', 'fieldSelector', 'limit', 'continue', 'resourceVersion', 'timeoutSeconds'), text, async (name, value) => {
      expect([200, 400, 410, 504]).toContain((await server.call('GET', `/api/v1/pods?${name}=${encodeURIComponent(value)}`)).code);
    }), { numRuns: RUNS });
    expect(server.errors).toEqual([]);
  });

  it('[kubeapi-11.3] answers any JSON as object, patch or options with success or a refusal', async () => {
    await using server = await TestServer.start();
    const PODS = '/api/v1/namespaces/default/pods';
    const key = fc.constantFrom('apiVersion', 'kind', 'metadata', 'spec', 'status', 'name', 'labels', 'annotations', 'finalizers', 'ownerReferences', 'containers', 'volumes', 'env', 'resources', 'limits', '$patch', '$retainKeys', '$setElementOrder/containers', '$deleteFromPrimitiveList/finalizers', '__proto__', 'constructor', 'x', 'securityContext', 'initContainers', 'volumeMounts', 'deletionTimestamp', 'managedFields', 'preconditions', 'gracePeriodSeconds', 'replicas', 'selector', 'template', 'versions', 'names', 'group', 'scope');
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ depthSize: 'small' }, fc.constantFrom<unknown>(null, true, 0, -1, 1e21, '', 'p', 'replace', 'delete'), fc.array(tie('tree'), { maxLength: 3 }), fc.dictionary(key, tie('tree'), { maxKeys: 5 })),
    }));
    const request = fc.oneof(
      fc.constantFrom(['POST', PODS, 'json'], ['POST', '/apis/apps/v1/namespaces/default/deployments', 'json'], ['POST', '/api/v1/nodes', 'json'], ['POST', '/api/v1/namespaces/default/services', 'json'], ['POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', 'json'], ['POST', '/api/v1/namespaces/default/secrets', 'json']),
      fc.constantFrom(['PUT', `${PODS}/p`, 'json'], ['PUT', `${PODS}/p/status`, 'json'], ['DELETE', `${PODS}/q`, 'json']),
      fc.constantFrom('merge-patch+json', 'strategic-merge-patch+json', 'json-patch+json', 'apply-patch+yaml').chain((type) => fc.constantFrom(['PATCH', `${PODS}/p?fieldManager=f`, type], ['PATCH', `${PODS}/p/status?fieldManager=f`, type], ['PATCH', '/apis/apps/v1/namespaces/default/deployments/d/scale?fieldManager=f', type])),
    );
    await server.call('POST', PODS, podDraft('p', { nodeName: 'n' }));
    await server.call('POST', '/apis/apps/v1/namespaces/default/deployments', { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } } });
    const named = fc.oneof(tree, tree.map((value) => ({ metadata: { name: 'n1' }, spec: value })));
    await fc.assert(fc.asyncProperty(request, named, async ([method, target, type], body) => {
      const answer = await server.call(method as string, target as string, JSON.stringify(body), { 'Content-Type': `application/${String(type)}` });
      expect(answer.code, answer.text).toBeLessThan(500);
      if (answer.code >= 400) expect(isStatus(answer.json)).toBe(true);
    }), { numRuns: RUNS * 5 });
    expect(server.errors).toEqual([]);
    for (const accept of ['application/json;as=Table;g=meta.k8s.io;v=v1', 'application/yaml']) {
      for (const all of ['/api/v1/pods', '/api/v1/nodes', '/api/v1/services', '/api/v1/secrets', '/apis/apps/v1/deployments', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', '/apis', '/openapi/v3']) {
        expect((await server.call('GET', all, undefined, { Accept: `${accept},*/*` })).code, all).toBe(200);
      }
    }
    expect(Object.prototype).not.toHaveProperty('x');
  }, 60_000);
});
