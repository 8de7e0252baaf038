import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { edgehub } from '@edge/edgehub';
import { metamanager } from '@edge/metamanager';
import { metaserver } from '@edge/metaserver';
import { startMinicloud, type Minicloud } from '@edge/minicloud';
import { createMessage, Groups, Operations } from '@edge/protocol';
import { openStore } from '@edge/store';
import { collectingDeadLetters, collectingLogger, eventually, testGates, testIdentity } from '@edge/testing';
import type { ModuleDefinition } from '@edge/core';
import { expect, it } from 'vitest';
import { noInstallation } from '../../src/agent/on-demand-installation.js';
import { compose } from '../../src/compose.js';

const run = promisify(execFile);
const NODE = 'edge-1';
const RBAC = 'rbac.authorization.k8s.io/v1';
const until = (fits: () => boolean | Promise<boolean>, what: string): Promise<true> => eventually(async () => ((await fits()) ? true : undefined), what);

/** Roles of service account `reader`, and a pod of it on the node. */
async function fill(cloud: Minicloud): Promise<void> {
  const create = (apiVersion: string, plural: string, kind: string, name: string, rest: object, namespace: object = { namespace: 'default' }): Promise<unknown> =>
    cloud.api.resource(apiVersion, plural).create({ apiVersion, kind, metadata: { name, ...namespace }, ...rest });
  await create('v1', 'serviceaccounts', 'ServiceAccount', 'reader', {});
  await create(RBAC, 'roles', 'Role', 'pods', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }] });
  await create(RBAC, 'rolebindings', 'RoleBinding', 'pods', { subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }], roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'pods' } });
  await create('v1', 'pods', 'Pod', 'web', { spec: { nodeName: NODE, serviceAccountName: 'reader', containers: [{ name: 'c', image: 'i' }] } });
}

it('[local-api-3.1] a pod\'s token opens what the cloud\'s roles say, nothing else, with and without the cloud, for kubectl as well; so does the node\'s own certificate', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'guarded-'));
  const cloud = await startMinicloud({ dataDir: join(folder, 'cloud'), requireAuthorization: true });
  const end = new AbortController();
  let life: Promise<void> = Promise.resolve();
  const log = collectingLogger();
  const store = await openStore({ path: join(folder, 'edgecore.db'), log });
  try {
    await fill(cloud);
    const files = { tlsCaFile: join(folder, 'rootCA.crt'), tlsCertFile: join(folder, 'server.crt'), tlsPrivateKeyFile: join(folder, 'server.key') };
    const core = compose({
      config: {
        modules: {
          edgeHub: { enable: true, httpServer: `https://${cloud.httpsAddress}`, websocket: { server: cloud.hubAddress }, token: cloud.token(), ...files },
          metaManager: { metaServer: { enable: true, server: '127.0.0.1:0', dummyServer: '127.0.0.1:0', tlsCaFile: files.tlsCaFile } },
        },
        edge: { metaServer: { certificateDirectory: join(folder, 'metaserver') }, metaManager: { tokenKeyFile: join(folder, 'tokens.key') } },
      },
      log, gates: testGates({ requireAuthorization: true }), deadLetters: collectingDeadLetters(), readyTimeoutMs: 60_000, store, identity: testIdentity(NODE),
      tokenStore: { forgetToken: () => Promise.resolve() },
      installation: noInstallation('v0.0.0'),
    }, [edgehub, metamanager, metaserver] as unknown as readonly ModuleDefinition[]);
    life = core.run(end.signal);
    await until(() => log.lines.some(({ message }) => message === 'the local API listens'), 'the local API to listen');
    const address = String(log.lines.find(({ message }) => message === 'the local API listens')?.fields['address']);
    const server = `https://${address}`;

    const spec = { audiences: null, expirationSeconds: 3607, boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web', uid: cloud.api.resource('v1', 'pods').find('web', 'default')?.metadata.uid } };
    const question = createMessage({ source: 'edged', group: Groups.meta, operation: Operations.query, resource: 'default/serviceaccounttoken/reader', content: { metadata: {}, spec, status: { token: '', expirationTimestamp: null } } });
    const { content } = await core.bus.request({ group: Groups.meta }, question, { timeoutMs: 30_000 });
    const { token } = (content as { status: { token: string } }).status;
    // One authority for all in this small cloud; edgehub has left it there.
    const ca = await readFile(files.tlsCaFile, 'utf8');

    const answer = (path: string, bearer?: string): Promise<{ code: number; warning: string }> => new Promise((resolve, reject) => {
      request(`${server}${path}`, { ca, agent: false, headers: bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` } }, (response) => {
        response.resume().on('end', () => resolve({ code: response.statusCode ?? 0, warning: String(response.headers['warning'] ?? '') }));
      }).on('error', reject).end();
    });
    const code = async (path: string, bearer?: string): Promise<number> => (await answer(path, bearer)).code;
    const kubectl = (shown: readonly string[], ...args: string[]): Promise<string> => run('kubectl', [`--server=${server}`, `--certificate-authority=${files.tlsCaFile}`, ...shown, ...args], {
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, KUBECONFIG: '/dev/null' }, timeout: 60_000,
    }).then(({ stdout }) => stdout, (error: { stderr: string }) => error.stderr);

    const allOfIt = async (): Promise<void> => {
      // What the cloud says of the account comes by a message of its own.
      await expect.poll(() => code('/api/v1/namespaces/default/pods', token), { timeout: 30_000 }).toBe(200);
      expect(await code('/api/v1/namespaces/default/secrets', token)).toBe(403);
      expect(await code('/api/v1/namespaces/kube-system/pods', token)).toBe(403);
      expect(await code('/api/v1/namespaces/default/pods')).toBe(403);
      expect(await code('/api/v1/namespaces/default/pods', `${token}x`)).toBe(401);
      expect(await kubectl(['--token', token], 'get', 'pods', '-o', 'name')).toBe('pod/web\n');
      expect(await kubectl(['--token', token], 'get', 'secrets')).toMatch(/Forbidden/);
      const own = ['--client-certificate', files.tlsCertFile, '--client-key', files.tlsPrivateKeyFile];
      expect(await kubectl(own, 'get', 'pods', '--all-namespaces', '-o', 'name')).toBe('pod/web\n');
    };
    await allOfIt();
    await cloud.close();
    await until(async () => (await answer('/api/v1/namespaces/default/pods', token)).warning.includes('not connected'), 'the link to break');
    await allOfIt();
  } finally {
    end.abort();
    await life;
    await store[Symbol.asyncDispose]();
    await cloud.close();
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);
