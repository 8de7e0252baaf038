import { MemoryObjectStore, type AccessRequest, type KubeObject, type UserInfo } from '@edge/kubeapi';
import { expect, it } from 'vitest';
import { TypeCatalog } from '../types/catalog.js';
import { Authorization } from './authorize.js';
import { NodeObjects } from './node-objects.js';

const PLACE = 'policy.kubeedge.io/v1alpha1/serviceaccountaccesses';
const account = (name: string, namespace = 'default'): UserInfo => ({
  name: `system:serviceaccount:${namespace}:${name}`, groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
});
const reader = account('reader');
const subjects = [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }];

const access = (name: string, spec: Record<string, unknown>): KubeObject => ({
  apiVersion: 'policy.kubeedge.io/v1alpha1', kind: 'ServiceAccountAccess',
  metadata: { name, namespace: 'default', uid: name, resourceVersion: '1', creationTimestamp: '' }, spec,
}) as KubeObject;
const roleBinding = (rules: readonly unknown[], over: Record<string, unknown> = {}): Record<string, unknown> => ({
  accessRoleBinding: [{ roleBinding: { metadata: { name: 'b', namespace: 'default' }, subjects, roleRef: { kind: 'Role', name: 'r' }, ...over }, rules }],
});
const clusterBinding = (rules: readonly unknown[], over: Record<string, unknown> = {}): Record<string, unknown> => ({
  accessClusterRoleBinding: [{ clusterRoleBinding: { metadata: { name: 'b' }, subjects, roleRef: { kind: 'ClusterRole', name: 'r' }, ...over }, rules }],
});
const rule = (verbs: string[], resources: string[], over: Record<string, unknown> = {}): Record<string, unknown> => ({ apiGroups: [''], verbs, resources, ...over });

/** `verb /path?query` with the path taken apart as the server does it, as far as it matters. */
function request(user: UserInfo, text: string): AccessRequest {
  const [verb = '', target = ''] = text.split(' ');
  const [path = '', query = ''] = target.split('?');
  const core = /^\/api\/v1\/(.+)$/.exec(path);
  const group = /^\/apis\/([^/]+)\/([^/]+)\/(.+)$/.exec(path);
  const rest = (core?.[1] ?? group?.[3])?.split('/');
  if (rest === undefined) return { user, verb, path, query: new URLSearchParams(query), ref: undefined };
  const isInNamespace = rest[0] === 'namespaces' && rest.length > 2;
  const [resource = '', name, subresource] = isInNamespace ? rest.slice(2) : rest;
  return {
    user, verb, path, query: new URLSearchParams(query),
    ref: { group: group?.[1] ?? '', version: group?.[2] ?? 'v1', resource, ...(isInNamespace ? { namespace: rest[1] as string } : {}), ...(name ? { name } : {}), ...(subresource ? { subresource } : {}) },
  };
}

async function scene(...objects: readonly KubeObject[]): Promise<{ may: (user: UserInfo, text: string) => boolean; store: MemoryObjectStore; authorization: Authorization }> {
  const store = await MemoryObjectStore.open({});
  for (const object of objects) await store.create({ resource: PLACE, namespace: 'default', name: object.metadata.name }, object);
  const authorization = new Authorization({ objects: new NodeObjects({ store, catalog: new TypeCatalog(), node: 'n1' }), node: 'n1' });
  return { store, authorization, may: (user, text) => authorization.authorize(request(user, text)) === true };
}

it('[metaserver-21.1] a role in a namespace holds there and for what its rules say', async () => {
  const { may } = await scene(access('reader', roleBinding([rule(['get', 'list'], ['pods', 'pods/log']), rule(['*'], ['configmaps'], { resourceNames: ['mine'] })])));
  const allowed = ['get /api/v1/namespaces/default/pods/a', 'list /api/v1/namespaces/default/pods', 'get /api/v1/namespaces/default/pods/a/log',
    'update /api/v1/namespaces/default/configmaps/mine', 'watch /api/v1/namespaces/default/configmaps?fieldSelector=metadata.name%3Dmine'];
  const refused = ['get /api/v1/namespaces/other/pods/a', 'list /api/v1/pods', 'watch /api/v1/namespaces/default/pods', 'get /api/v1/namespaces/default/pods/a/status',
    'get /apis/apps/v1/namespaces/default/pods/a', 'update /api/v1/namespaces/default/configmaps/other', 'list /api/v1/namespaces/default/configmaps',
    'watch /api/v1/namespaces/default/configmaps?fieldSelector=metadata.name%21%3Dmine', 'create /api/v1/namespaces/default/configmaps', 'get /metrics'];
  expect(allowed.filter((text) => !may(reader, text))).toEqual([]);
  expect(refused.filter((text) => may(reader, text))).toEqual([]);
  expect(may(account('writer'), allowed[0] as string)).toBe(false);
  expect(may(account('reader', 'other'), allowed[0] as string)).toBe(false);
});

it('[metaserver-21.2] a role of the cluster holds everywhere; stars, groups, users and paths count as in Kubernetes', async () => {
  const { may } = await scene(
    access('a', clusterBinding([{ apiGroups: ['*'], resources: ['*'], verbs: ['get'] }, { nonResourceURLs: ['/metrics', '/logs/*'], verbs: ['get'] }])),
    access('b', clusterBinding([rule(['list'], ['nodes'])], { subjects: [{ kind: 'Group', name: 'system:serviceaccounts:ops' }, { kind: 'User', name: 'ann' }] })),
    access('c', clusterBinding([rule(['get'], ['*/status'])], { subjects: [{ kind: 'ServiceAccount', name: 'status', namespace: 'default' }] })),
  );
  expect(['get /api/v1/nodes/n', 'get /apis/a.b/v1/namespaces/x/ys/z', 'get /api/v1/namespaces/default/pods/a/log', 'get /metrics', 'get /logs/a/b'].filter((text) => !may(reader, text))).toEqual([]);
  expect(['list /api/v1/nodes', 'get /metrics/x', 'post /metrics', 'get /'].filter((text) => may(reader, text))).toEqual([]);
  expect(may(account('any', 'ops'), 'list /api/v1/nodes')).toBe(true);
  expect(may({ name: 'ann', groups: [] }, 'list /api/v1/nodes')).toBe(true);
  expect(may({ name: 'bob', groups: [] }, 'list /api/v1/nodes')).toBe(false);
  expect(may(account('status'), 'get /api/v1/namespaces/x/pods/p/status')).toBe(true);
  expect(may(account('status'), 'get /api/v1/namespaces/x/pods/p')).toBe(false);
});

it('[metaserver-21.3] discovery and health are for all, the node and masters may do everything, nobody else without a role', async () => {
  const { may } = await scene();
  const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
  expect(['/api', '/api/v1', '/apis/apps/v1', '/openapi/v3/api/v1', '/version', '/version/', '/healthz', '/livez/ping', '/readyz'].filter((path) => !may(anonymous, `get ${path}`))).toEqual([]);
  expect(['get /', 'get /metrics', 'get /apisx', 'post /api', 'get /healthz/a/b', 'list /api/v1/pods', 'get /api/v1/namespaces/default'].filter((text) => may(anonymous, text))).toEqual([]);
  const everything = ['delete /api/v1/namespaces/default/pods/a', 'create /api/v1/namespaces/default/pods/restart', 'create /api/v1/nodes/unhold-upgrade', 'create /api/v1/taskupgrade/confirm-upgrade', 'get /metrics'];
  for (const user of [{ name: 'x', groups: ['system:masters'] }, { name: 'system:node:n1', groups: ['system:nodes'] }]) {
    expect(everything.filter((text) => !may(user, text))).toEqual([]);
  }
  for (const user of [{ name: 'system:node:n2', groups: ['system:nodes'] }, { name: 'system:node:n1', groups: [] }, reader]) {
    expect(everything.filter((text) => may(user, text))).toEqual([]);
  }
});

it('[metaserver-21.4] to run something in a pod takes the right to create, by GET as well; upstream\'s special paths are creations', async () => {
  const { may } = await scene(
    access('a', roleBinding([rule(['get'], ['pods', 'pods/exec', 'pods/attach', 'pods/portforward', 'pods/log'])])),
    access('b', roleBinding([rule(['create'], ['pods/exec']), rule(['create'], ['pods'], { resourceNames: ['restart'] })], { subjects: [{ kind: 'ServiceAccount', name: 'runner', namespace: 'default' }] })),
  );
  expect(may(reader, 'get /api/v1/namespaces/default/pods/a/log')).toBe(true);
  for (const what of ['exec', 'attach', 'portforward']) expect(may(reader, `get /api/v1/namespaces/default/pods/a/${what}`), what).toBe(false);
  const runner = account('runner');
  expect(may(runner, 'get /api/v1/namespaces/default/pods/a/exec')).toBe(true);
  expect(may(runner, 'create /api/v1/namespaces/default/pods/a/exec')).toBe(true);
  expect(may(runner, 'create /api/v1/namespaces/default/pods/restart')).toBe(true);
  expect(may(runner, 'create /api/v1/namespaces/default/pods')).toBe(false);
  expect(may(runner, 'create /api/v1/pods/unhold-upgrade')).toBe(false);
});

it('[metaserver-21.5] rules change with the objects; what is no rule grants nothing', async () => {
  const { may, store, authorization } = await scene(access('bad', { accessRoleBinding: [7, { roleBinding: {}, rules: 'x' }, { rules: [rule(['*'], ['*'])] }], accessClusterRoleBinding: 'x' }));
  const stop = authorization.follow();
  const wanted = 'get /api/v1/namespaces/default/pods/a';
  expect(may(reader, wanted)).toBe(false);
  const key = { resource: PLACE, namespace: 'default', name: 'reader' };
  const made = await store.create(key, access('reader', roleBinding([rule(['get'], ['pods'])])));
  expect(may(reader, wanted)).toBe(true);
  await store.remove(key, made.metadata.resourceVersion);
  expect(may(reader, wanted)).toBe(false);
  stop();
});

it('[metaserver-21.6] the type that rights come in is known without the cloud', () => {
  expect(new TypeCatalog().ofKind('policy.kubeedge.io/v1alpha1', 'ServiceAccountAccess')?.storedAs).toBe(PLACE);
});

it('[metaserver-21.9] what somebody has read of accounts that the cloud tells other nodes of gives no rights here: nobody would take them back', async () => {
  const told = (name: string, nodeList?: string[]): KubeObject => ({ ...access(name, clusterBinding([rule(['get'], [name])])), status: { nodeList } }) as KubeObject;
  const { may } = await scene(told('pods', ['n2']), told('secrets', ['n2', 'n1']), told('nodes', []), told('services'));
  const seen = ['pods', 'secrets', 'nodes', 'services'].filter((plural) => may(reader, `get /api/v1/${plural}/x`));
  expect(seen).toEqual(['secrets', 'nodes', 'services']);
});
