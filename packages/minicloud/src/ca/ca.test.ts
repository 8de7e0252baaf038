import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCode } from '@edge/core';
import { openPki, type Pki } from './authority.js';
import { judgeEnrolment } from './enrolment.js';
import { checkBearer, createJoinToken } from './token.js';

let folder: string;
let pki: Pki;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'minicloud-ca-'));
  pki = await openPki({ folder, names: ['127.0.0.1', 'localhost'], serverLifeMs: 86_400_000 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the authority', () => {
  it('[minicloud-1.1] is made once and kept', async () => {
    const again = await openPki({ folder, names: ['127.0.0.1', 'localhost'], serverLifeMs: 86_400_000 });
    expect(again).toEqual(pki);
    const authority = new X509Certificate(pki.authority.certificatePem);
    expect(authority.subject).toBe('CN=KubeEdge');
    expect(authority.ca).toBe(true);
    expect(createPrivateKey(pki.authority.privateKeyPem).asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  it('[minicloud-1.2] signs a server certificate for the names, and a new one when the names change', async () => {
    const server = new X509Certificate(pki.server.certificatePem);
    expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(server.checkHost('localhost')).toBe('localhost');
    const other = await openPki({ folder, names: ['edge.example'], serverLifeMs: 86_400_000 });
    expect(new X509Certificate(other.server.certificatePem).checkHost('edge.example')).toBe('edge.example');
    expect(other.authority).toEqual(pki.authority);
  });

  it('[minicloud-1.3] renews the server certificate when two thirds of its life are over', async () => {
    const later = await openPki({ folder, names: ['127.0.0.1', 'localhost'], serverLifeMs: 86_400_000, now: Date.now() + 60_000_000 });
    expect(later.server.certificatePem).not.toBe(pki.server.certificatePem);
  });

  it('[minicloud-1.4] refuses to replace an authority that it cannot read', async () => {
    const broken = await mkdtemp(join(tmpdir(), 'minicloud-ca-'));
    await writeFile(join(broken, 'ca.crt'), 'garbage');
    await writeFile(join(broken, 'ca.key'), 'garbage');
    const error: unknown = await openPki({ folder: broken, names: ['a'], serverLifeMs: 1000 }).catch((e: unknown) => e);
    expect(errorCode(error)).toBe('minicloud.authority-unreadable');
    expect(await readFile(join(broken, 'ca.crt'), 'utf8')).toBe('garbage');
    await rm(broken, { recursive: true });
  });
});

describe('join tokens', () => {
  it('[minicloud-1.5] are four parts, good until they end, and only here', async () => {
    const now = Date.now();
    const token = createJoinToken(pki.authority, now + 10_000);
    expect(token.split('.')).toHaveLength(4);
    const bearer = token.slice(token.indexOf('.') + 1);
    expect(checkBearer(pki.authority, bearer, now)).toBeUndefined();
    expect(checkBearer(pki.authority, bearer, now + 11_000)).toBe('expired');
    expect(checkBearer(pki.authority, `${bearer.slice(0, -2)}xx`, now)).toBe('signature');
    expect(checkBearer(pki.authority, '', now)).toBe('empty');
    expect(checkBearer(pki.authority, 'a.b', now)).toBe('malformed');
    expect(checkBearer(pki.authority, 'a.b.c', now)).toBe('malformed');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const other = { ...pki.authority, privateKeyPem: privateKey.export({ type: 'sec1', format: 'pem' }).toString() };
    expect(checkBearer(other, bearer, now)).toBe('signature');
  });
});

describe('enrolment', () => {
  const wanted = { commonName: 'system:node:e1', organizations: ['system:nodes'] };
  const good = (): undefined => undefined;
  const peer = { trusted: true, commonName: 'system:node:e1', organizations: ['system:nodes'] };
  it.each([
    ['a good token', { nodeName: 'e1', authorization: 'Bearer x.y.z', peer: undefined, wanted }, 200],
    ['its own certificate', { nodeName: 'e1', authorization: '', peer, wanted }, 200],
    ['no token', { nodeName: 'e1', authorization: '', peer: undefined, wanted }, 401],
    ['a token without scheme', { nodeName: 'e1', authorization: 'x.y.z', peer: undefined, wanted }, 401],
    ['another node\'s certificate', { nodeName: 'e2', authorization: '', peer, wanted }, 401],
    ['an untrusted certificate', { nodeName: 'e1', authorization: '', peer: { ...peer, trusted: false }, wanted }, 401],
    ['an untrusted certificate and a good token', { nodeName: 'e1', authorization: 'Bearer x.y.z', peer: { ...peer, trusted: false }, wanted }, 200],
    ['another node\'s name in the request', { nodeName: 'e1', authorization: 'Bearer x.y.z', peer: undefined, wanted: { ...wanted, commonName: 'system:node:e2' } }, 401],
    ['no node name', { nodeName: '', authorization: 'Bearer x.y.z', peer: undefined, wanted }, 401],
  ])('[minicloud-1.6] answers a request with %s', (_title, request, status) => {
    const verdict = judgeEnrolment(request, good);
    expect(verdict.ok ? 200 : verdict.status).toBe(status);
  });

  it('[minicloud-1.7] says why a token is refused', () => {
    const verdict = judgeEnrolment({ nodeName: 'e1', authorization: 'Bearer x.y.z', peer: undefined, wanted }, () => 'expired');
    expect(verdict).toMatchObject({ status: 401, text: expect.stringContaining('expired') as string });
  });
});
