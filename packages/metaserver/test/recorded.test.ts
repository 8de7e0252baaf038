import { readFile } from 'node:fs/promises';
import { readCapture } from '@edge/testing';
import { expect, it } from 'vitest';
import { applicationKey, newApplication } from '../src/cloud/application.js';
import { refusalOf } from '../src/cloud/refusal.js';
import { Scene } from './scene.js';

const capture = readCapture(await readFile(new URL('./fixtures/07-metaserver.jsonl', import.meta.url), 'utf8'));
const messages = (kind: 'edge' | 'cloud') => capture.flatMap((step) => (step.kind === kind ? [step.message] : []));

it('[metaserver-9.1] asks the cloud with the very messages that upstream was recorded with, and serves its answers', async () => {
  await using scene = await Scene.open({ connected: true, node: 'edge-go' });
  scene.cloud.script = ({ ID }) => messages('cloud').map(({ content }) => content as { ID: string }).find((answer) => answer.ID === ID);
  const nodes = (await scene.call('GET', '/api/v1/nodes')).json;
  expect(nodes).toMatchObject({ kind: 'NodeList', items: [{ kind: 'Node', metadata: { name: 'edge-go' } }] });
  expect((await scene.call('GET', '/api/v1/namespaces/default/configmaps')).json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(['cm1', 'kube-root-ca.crt']);
  expect((await scene.call('GET', '/version')).json).toMatchObject({ goVersion: 'go1.19.8', platform: 'linux/amd64' });
  const sent = scene.hub.received.map(({ route, content }) => ({ route, content: JSON.stringify(content) }));
  expect(sent).toEqual(messages('edge').map(({ route, content }) => ({ route, content: JSON.stringify(content) })));
});

it('[metaserver-9.2] writes keys and identifiers as upstream', () => {
  expect(applicationKey({ group: '', version: 'v1', resource: 'namespaces', name: 'n' })).toBe('/core/v1/namespaces/null/n');
  expect(applicationKey({ group: 'apps', version: 'v1', resource: 'deployments', namespace: 'x', name: 'd' })).toBe('/apps/v1/deployments/x/d');
  // The example of the fact sheet: sha256 over node, key, verb, options, body, subresource.
  expect(newApplication('edge1', { key: '/core/v1/pods/default/null', verb: 'list', option: { resourceVersion: '0' } })).toMatchObject({
    ID: '876ad380068e7c1a635b73a8b8ecd6c502120455b56f1a0641b69ee1101bdf80', Option: 'eyJyZXNvdXJjZVZlcnNpb24iOiIwIn0=', ReqBody: null,
  });
});

it('[metaserver-9.3] reads the code of a refusal from the cloud\'s words where nothing else is left of it', () => {
  const code = (text: string): number => refusalOf({ metadata: {} }, text).httpStatus;
  expect(code('failed to get current list, pods is forbidden: User "x" cannot list')).toBe(403);
  expect(code('failed to get current list, the server could not find the requested resource')).toBe(404);
  expect(code('failed to get current list, Unauthorized')).toBe(401);
  expect(code('context deadline exceeded')).toBe(500);
  expect(refusalOf({}, '')).toMatchObject({ httpStatus: 500, message: 'the cloud refused without a word' });
  expect(refusalOf({ code: 409, reason: 'AlreadyExists', message: 'there', details: { name: 'a' } }, '').toStatus()).toMatchObject({ code: 409, reason: 'AlreadyExists', details: { name: 'a' } });
});
