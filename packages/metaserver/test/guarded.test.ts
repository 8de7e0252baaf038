import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestCa } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeMeta } from './fake-meta.js';
import { GuardedScene, NODE } from './guarded-scene.js';
import { eventually, object, Scene } from './scene.js';
import { readerAccess, TestIssuer } from './tokens.js';

const PODS = '/api/v1/namespaces/default/pods';
const objects = [object('Pod', 'web', 3), object('ConfigMap', 'settings', 4), readerAccess()];

describe('who may do what, without the cloud', () => {
  const issuer = new TestIssuer();
  let folder: string;
  let guarded: GuardedScene;
  const meta = new FakeMeta();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keys-'));
    await writeFile(join(folder, 'sa.pub'), issuer.publicKey);
    guarded = await GuardedScene.open({ stored: 'own', objects, meta, metaServer: { serviceAccountKeyFiles: [join(folder, 'sa.pub')] } });
  });
  afterAll(async () => {
    await guarded[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it('[metaserver-22.1] boots with the stored certificate and serves both addresses over TLS, plain HTTP not at all', async () => {
    await eventually(() => guarded.ports.length === 2);
    for (const port of guarded.ports) expect(await guarded.code('/readyz', { port })).toBe(200);
    await expect(guarded.call('/readyz', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' })).rejects.toThrow(/protocol version/);
    expect((await guarded.scene.call('GET', '/readyz').catch(() => ({ code: 0 }))).code).toBe(0);
  });

  it('[metaserver-20.6] a service account with a token gets what its role says, and nothing else', async () => {
    const token = issuer.token();
    expect(await guarded.code(PODS, { token })).toBe(200);
    expect((await guarded.call(`${PODS}/web`, { token })).json).toMatchObject({ metadata: { name: 'web' } });
    const refused = await guarded.call('/api/v1/namespaces/default/configmaps/settings', { token });
    expect(refused).toMatchObject({ code: 403, json: { kind: 'Status', reason: 'Forbidden', message: expect.stringMatching(/user "system:serviceaccount:default:reader" may not get it: no role that this node knows of allows it/) as unknown } });
    expect(await guarded.code('/api/v1/pods', { token })).toBe(403);
    expect(await guarded.code(`${PODS}/web`, { token, method: 'DELETE' })).toBe(403);
  });

  it('[metaserver-20.7] a token that is not good is a 401: forged, for others, too old, of an account or a pod that is not this one', async () => {
    const token = issuer.token.bind(issuer);
    const bad = {
      forged: new TestIssuer().token(), issuer: token({ iss: 'https://other' }), audience: token({ aud: ['vault'] }), expired: token({ exp: 1000 }), early: token({ nbf: 9_999_999_999, exp: 9_999_999_999 }),
      account: token({}, { serviceaccount: { name: 'reader', uid: 'other' } }), pod: token({}, { pod: { name: 'web', uid: 'other' } }), gone: token({}, { pod: { name: 'gone', uid: 'x' } }), nonsense: 'nonsense',
    };
    const codes = await Promise.all(Object.entries(bad).map(async ([name, text]) => `${name} ${await guarded.code(PODS, { token: text })}`));
    expect(codes).toEqual(Object.keys(bad).map((name) => `${name} 401`));
    // The one with health is not refused, but it is nobody.
    expect(await guarded.code('/healthz', { token: 'nonsense' })).toBe(200);
    const said = guarded.scene.running.lines.filter(({ message }) => message.startsWith('the local API refused a client')).map(({ fields }) => fields['reason']);
    expect(said).toContain('it has expired');
    expect(JSON.stringify(said)).not.toContain('eyJ');
  });

  it('[metaserver-20.8] who shows nothing sees discovery and health', async () => {
    expect(await guarded.code('/apis')).toBe(200);
    expect(await guarded.code('/version')).toBe(200);
    expect((await guarded.call(PODS)).json).toMatchObject({ code: 403, message: expect.stringContaining('system:anonymous') as unknown });
  });

  it('[metaserver-20.9] client certificates: the node itself may everything; others are known by name; those of strangers are refused', async () => {
    const shown = ({ certificate, privateKey }: { certificate: string; privateKey: string }): { cert: string; key: string } => ({ cert: certificate, key: privateKey });
    expect(await guarded.code('/api/v1/pods', shown(await guarded.ca.node(NODE)))).toBe(200);
    expect(await guarded.code('/api/v1/pods', shown(await guarded.ca.node('another')))).toBe(403);
    expect((await guarded.call('/api/v1/pods', shown(await guarded.ca.client('CN=ann, O=dev')))).json).toMatchObject({ code: 403, message: expect.stringContaining('"ann"') as unknown });
    expect(await guarded.code('/api/v1/pods', shown(await guarded.ca.client('CN=admin, O=system:masters')))).toBe(200);
    // CloudHub would sign this for any node.
    expect(await guarded.code('/api/v1/pods', shown(await guarded.ca.client('CN=system:node:another, O=system:masters')))).toBe(403);
    expect(await guarded.code('/api/v1/pods', shown(await guarded.ca.client('CN=admin, O=system:masters', { notAfter: new Date(Date.now() - 60_000) })))).toBe(401);
    expect(await guarded.code('/api/v1/pods', shown(await (await createTestCa('Stranger')).client('CN=admin, O=system:masters')))).toBe(401);
    // For servers, not for clients.
    expect(await guarded.code('/api/v1/pods', shown(await guarded.ca.server([NODE])))).toBe(401);
  });

  it('[metaserver-21.8] upstream\'s special paths and commands in pods are for the operator, not for who may read', async () => {
    const { certificate: cert, privateKey: key } = await guarded.ca.node(NODE);
    const special = ['/api/v1/namespaces/default/pods/restart', '/api/v1/pods/unhold-upgrade', '/api/v1/nodes/unhold-upgrade', '/api/v1/taskupgrade/confirm-upgrade', `${PODS}/web/exec?command=ls`];
    for (const path of special) {
      expect(await guarded.code(path, { method: 'POST', token: issuer.token() }), path).toBe(403);
      expect(await guarded.code(path, { method: 'POST' }), path).toBe(403);
    }
    expect(await guarded.code('/api/v1/nodes/unhold-upgrade', { method: 'POST', cert, key })).not.toBe(403);
    expect(await guarded.code('/api/v1/pods/unhold-upgrade', { method: 'POST', cert, key })).toBe(400);
  });

  it('[metaserver-20.11] who asks to be taken for somebody else is refused instead of getting his own rights', async () => {
    const { certificate, privateKey } = await guarded.ca.node(NODE);
    for (const name of ['Impersonate-User', 'Impersonate-Group', 'Impersonate-Extra-scopes']) {
      const answer = await guarded.call('/api/v1/pods', { cert: certificate, key: privateKey, headers: { [name]: 'ann' } });
      expect(answer.json).toMatchObject({ kind: 'Status', code: 403, message: expect.stringContaining(name.toLowerCase()) as unknown });
    }
  });

  it('[metaserver-21.7] a right that the cloud takes back is gone at once', async () => {
    const token = issuer.token();
    meta.remove(readerAccess());
    await eventually(() => guarded.scene.meta.objects.size === 2);
    await expect.poll(() => guarded.code(PODS, { token }), { timeout: 20_000 }).toBe(401);
    meta.put({ ...readerAccess(9), metadata: { ...readerAccess(9).metadata, uid: 'again' } });
    await expect.poll(() => guarded.code(PODS, { token }), { timeout: 20_000 }).toBe(200);
  });
});

it('[metaserver-20.12] certificates of the nodes\' authority, which signs any name that a node asks for, tell nodes apart and nothing else', async () => {
  const [ca, nodes] = [await createTestCa('Kubernetes'), await createTestCa()];
  await using guarded = await GuardedScene.open({ ca, nodesAuthority: nodes.certificate, stored: 'own', objects });
  const call = async (pair: Promise<{ certificate: string; privateKey: string }>): Promise<unknown> => {
    const { certificate: cert, privateKey: key } = await pair;
    const { code, json } = await guarded.call(PODS, { cert, key });
    return code === 403 ? json.message : code;
  };
  expect(await call(nodes.node(NODE))).toBe(200);
  expect(await call(nodes.node('another'))).toContain('system:node:another');
  for (const subject of ['CN=ann, O=dev', 'CN=admin, O=system:masters', 'CN=system:serviceaccount:default:reader']) expect([subject, await call(nodes.client(subject))]).toEqual([subject, 401]);
  expect(await call(ca.client('CN=system:serviceaccount:default:reader'))).toBe(200);
  const said = guarded.scene.running.lines.map(({ fields }) => String(fields['reason']));
  expect(said).toContain('the cluster\'s authority has not signed it, and that of the nodes does not make it "ann"');
});

it('[metaserver-22.7] files with authorities that cannot be read close nothing for good: that of the nodes is left out, that of the cluster asked for anew', async () => {
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const ca = await createTestCa();
  const folder = await mkdtemp(join(tmpdir(), 'broken-'));
  await mkdir(join(folder, 'pki', 'metaserver'), { recursive: true });
  const { certificate, privateKey } = await ca.server(['127.0.0.1']);
  await writeFile(join(folder, 'pki', 'metaserver', 'metaserver-current.pem'), `${certificate}\n${privateKey}\n`, { mode: 0o600 });
  await writeFile(join(folder, 'pki', 'metaserver', 'ca.crt'), broken);
  await using guarded = await GuardedScene.open({ ca, folder, nodesAuthority: broken, connected: true });
  await eventually(() => guarded.ports.length > 0);
  expect(await guarded.code('/readyz')).toBe(200);
  const said = guarded.scene.running.lines.map(({ fields }) => String(fields['err']));
  expect(said.some((line) => line.includes('ca.crt holds no certificate of an authority'))).toBe(true);
  expect(guarded.scene.running.lines.some(({ message }) => message === 'clients with certificates of the node\'s own authority are not known')).toBe(true);
});

it('[metaserver-20.10] without key files a token has to be one that is stored on the node', async () => {
  const issuer = new TestIssuer();
  const meta = new FakeMeta();
  await using guarded = await GuardedScene.open({ stored: 'own', objects, meta });
  const [known, unknown] = [issuer.token(), issuer.token({ jti: 'other' })];
  meta.tokens.add(known);
  expect(await guarded.code(PODS, { token: known })).toBe(200);
  expect(await guarded.code(PODS, { token: unknown })).toBe(401);
});

it('[metaserver-22.2] asks the cloud for authority and certificate in upstream\'s messages, and keeps them as upstream does', async () => {
  await using guarded = await GuardedScene.open({ connected: true });
  await eventually(() => guarded.ports.length > 0);
  expect(guarded.asked.slice(0, 3)).toEqual([
    'metamanager meta query k8s/ca.crt',
    `edged meta insert default/certificatesigningrequest/metaserver-csr-${NODE}`,
    `edged meta query default/certificatesigningrequest/metaserver-csr-${NODE}`,
  ]);
  expect(await guarded.code('/readyz')).toBe(200);
  const files = (await readdir(guarded.pki)).sort();
  expect(files).toEqual(['ca.crt', expect.stringMatching(/^metaserver-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.pem$/), 'metaserver-current.pem']);
  const text = await readFile(join(guarded.pki, 'metaserver-current.pem'), 'utf8');
  expect(text).toMatch(/^-----BEGIN CERTIFICATE-----[\s\S]+-----BEGIN EC PRIVATE KEY-----[\s\S]+-----END EC PRIVATE KEY-----\n$/);
  expect((await stat(join(guarded.pki, 'metaserver-current.pem'))).mode & 0o777).toBe(0o600);
});

it('[metaserver-22.3] without a certificate and without the cloud the agent runs, and the API comes when the cloud does', async () => {
  await using guarded = await GuardedScene.open({ connected: false });
  await eventually(() => guarded.scene.running.lines.some(({ message }) => message.includes('the local API cannot serve yet')));
  expect(guarded.ports).toEqual([]);
  guarded.scene.connect();
  await eventually(() => guarded.ports.length > 0);
  expect(await guarded.code('/readyz')).toBe(200);
});

it('[metaserver-22.4] a certificate that is near its end is replaced without closing the port, also by a cloud that still has the old request', async () => {
  const ca = await createTestCa();
  const old = await ca.server(['127.0.0.1'], { notBefore: new Date(Date.now() - 99 * 60_000), notAfter: new Date(Date.now() + 60_000) });
  await using guarded = await GuardedScene.open({ ca, stored: old, connected: false });
  const before = await guarded.call('/readyz');
  guarded.occupy(`metaserver-csr-${NODE}`);
  guarded.scene.connect();
  await expect.poll(async () => (await guarded.call('/readyz')).serial, { timeout: 20_000 }).not.toBe(before.serial);
  expect(guarded.ports).toHaveLength(2);
  expect(guarded.asked.filter((line) => line.includes(' insert ')).at(-1)).toMatch(/metaserver-csr-edge-1-[0-9a-f]{8}$/);
});

it('[metaserver-22.5] a stored certificate that cannot be read is complained of and asked for anew', async () => {
  const ca = await createTestCa();
  const [one, other] = [await ca.server(['127.0.0.1']), await ca.server(['127.0.0.1'])];
  await using guarded = await GuardedScene.open({ ca, stored: { certificate: one.certificate, privateKey: other.privateKey }, connected: true });
  await eventually(() => guarded.ports.length > 0);
  expect(guarded.scene.running.lines.some(({ fields }) => String(fields['err']).includes('metaserver-current.pem is no certificate with its key'))).toBe(true);
  expect(await guarded.code('/readyz')).toBe(200);
});

it('[metaserver-22.6] without the gate only the loopback is served; the refusal says what to do', async () => {
  await expect(Scene.open({ metaServer: { server: '0.0.0.0:10550' } })).rejects.toThrow(/server is 0\.0\.0\.0:10550, where others than this machine could reach it.*set it to 127\.0\.0\.1:10550, or set featureGates\.requireAuthorization to true/);
});
