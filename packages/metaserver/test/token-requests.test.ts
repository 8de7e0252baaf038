import { createErrorResponse, type Message } from '@edge/protocol';
import { expect, it } from 'vitest';
import { object, Scene } from './scene.js';

const PATH = '/api/v1/namespaces/default/serviceaccounts/runner/token';
const pod = (name: string, nodeName: string, account?: string) => object('Pod', name, 1, { spec: { nodeName, ...(account ? { serviceAccountName: account } : {}) } });
const request = (bound: object | undefined = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'uid-p' }, spec: object = { audiences: ['edge'], expirationSeconds: 600 }): unknown => ({
  kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec: { ...spec, ...(bound ? { boundObjectRef: bound } : {}) },
});
const issue = ({ content }: Message): object => ({ kind: 'TokenRequest', metadata: {}, spec: (content as { spec: object }).spec, status: { token: 'jwt', expirationTimestamp: '2026-01-01T00:10:00Z' } });
const open = (): Promise<Scene> => Scene.open({ connected: true, node: 'edge-1', objects: [pod('p', 'edge-1', 'runner'), pod('far', 'edge-2', 'runner'), pod('other', 'edge-1')] });

it('[metaserver-40.1] gives a token of a pod of this node, asked for as edged asks, and one that is stored with a warning', async () => {
  await using scene = await open();
  const asked: Message[] = [];
  scene.meta.issue = (message) => (asked.push(message), issue(message));
  const answer = await scene.call('POST', PATH, request());
  expect(answer).toMatchObject({ code: 201, json: { kind: 'TokenRequest', metadata: { name: 'runner', namespace: 'default' }, spec: { audiences: ['edge'] }, status: { token: 'jwt', expirationTimestamp: '2026-01-01T00:10:00Z' } } });
  expect(answer.headers['warning']).toBeUndefined();
  expect(asked[0]).toMatchObject({
    route: { source: 'metaserver', group: 'meta', operation: 'query', resource: 'default/serviceaccounttoken/runner' },
    content: { spec: { audiences: ['edge'], expirationSeconds: 600, boundObjectRef: { name: 'p', uid: 'uid-p' } }, status: { token: '' } },
  });
  scene.meta.issue = (message) => [JSON.stringify(issue(message))];
  const stored = await scene.call('POST', PATH, request(undefined, { audiences: [], boundObjectRef: { kind: 'Pod', name: 'p', uid: 'uid-p' } }));
  expect(stored).toMatchObject({ code: 201, json: { spec: { audiences: null }, status: { token: 'jwt' } } });
  expect(stored.headers['warning']).toMatch('one that the node keeps');
});

it('[metaserver-40.2] asks nobody for a token of anything else while it asks nobody who he is', async () => {
  await using scene = await open();
  scene.meta.issue = issue;
  for (const [bound, why] of [
    [undefined, 'names no pod'], [{ kind: 'Secret', name: 'p', uid: 'uid-p' }, 'names no pod'], [{ kind: 'Pod', name: 'far', uid: 'uid-far' }, 'is not on this node'],
    [{ kind: 'Pod', name: 'none', uid: 'u' }, 'is not on this node'], [{ kind: 'Pod', name: 'p', uid: 'old' }, 'another uid'], [{ kind: 'Pod', name: 'other', uid: 'uid-other' }, 'another service account'],
  ] as const) {
    expect(await scene.call('POST', PATH, { spec: { ...(bound ? { boundObjectRef: bound } : {}) } })).toMatchObject({ code: 403, json: { reason: 'Forbidden', message: expect.stringContaining(why) } });
  }
  expect(scene.meta.played?.received.filter(({ route }) => route.resource.includes('token'))).toEqual([]);
});

it('[metaserver-40.3] passes on what the cloud refuses, says when there is no answer, and takes no nonsense', async () => {
  await using scene = await open();
  for (const [code, reason] of [[404, 'NotFound'], [403, 'Forbidden']] as const) {
    scene.meta.issue = () => ({ ErrStatus: { metadata: {}, status: 'Failure', message: 'no such account', reason, code } });
    expect(await scene.call('POST', PATH, request())).toMatchObject({ code, json: { kind: 'Status', reason, message: 'no such account' } });
  }
  scene.meta.issue = (message) => createErrorResponse(message, 'the node is not connected', { source: 'metamanager' });
  expect(await scene.call('POST', PATH, request())).toMatchObject({ code: 503, json: { message: expect.stringContaining('the node is not connected') } });
  scene.meta.issue = () => ({ status: { token: '' } });
  expect((await scene.call('POST', PATH, request())).code).toBe(500);
  for (const body of [{}, { spec: 7 }, { spec: { audiences: 'x' } }, { spec: { audiences: [1] } }, { spec: { expirationSeconds: 'soon' } }, { spec: { boundObjectRef: [] } }]) {
    expect((await scene.call('POST', PATH, body)).code).toBe(400);
  }
  expect((await scene.call('GET', PATH)).code).toBe(405);
});
