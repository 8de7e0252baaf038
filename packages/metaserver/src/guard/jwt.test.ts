import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isSignedBy, readJwt, type Jwt } from './jwt.js';
import { readPublicKeys } from './key-files.js';

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const ec = (namedCurve: string): { publicKey: KeyObject; privateKey: KeyObject } => generateKeyPairSync('ec', { namedCurve });
const p256 = ec('P-256');
const p384 = ec('P-384');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

function token(alg: string, hash: string, key: KeyObject): string {
  const body = `${encode({ alg, kid: 'k' })}.${encode({ sub: 'x' })}`;
  return `${body}.${sign(hash, Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const check = (keys: readonly KeyObject[], text: string): boolean => isSignedBy(keys, readJwt(text) as Jwt);

it('[metaserver-20.3] signatures of an API server are checked: RSA and elliptic keys, nothing else', () => {
  const keys = [p256.publicKey, p384.publicKey, rsa.publicKey];
  expect(check(keys, token('ES256', 'sha256', p256.privateKey))).toBe(true);
  expect(check(keys, token('ES384', 'sha384', p384.privateKey))).toBe(true);
  expect(check(keys, token('RS256', 'sha256', rsa.privateKey))).toBe(true);
  expect(check(keys, token('RS512', 'sha512', rsa.privateKey))).toBe(true);
  expect(check([rsa.publicKey], token('ES256', 'sha256', p256.privateKey))).toBe(false);
  expect(check([ec('P-256').publicKey], token('ES256', 'sha256', p256.privateKey))).toBe(false);
  // The head says one scheme, the signature is another: never tried.
  expect(check(keys, token('RS256', 'sha256', p256.privateKey))).toBe(false);
  expect(check(keys, token('ES256', 'sha256', p384.privateKey))).toBe(false);
  expect(check(keys, `${encode({ alg: 'none' })}.${encode({})}.AA`)).toBe(false);
  expect(check(keys, `${encode({ alg: 'HS256' })}.${encode({})}.AA`)).toBe(false);
  expect(check(keys, `${encode({ alg: 'toString' })}.${encode({})}.AA`)).toBe(false);
  const good = token('ES256', 'sha256', p256.privateKey);
  const [head, , signature] = good.split('.');
  expect(check(keys, `${head}.${encode({ sub: 'other' })}.${signature}`)).toBe(false);
});

it('[metaserver-20.4] what is no JWT is not read', () => {
  for (const text of ['', 'a', 'a.b', 'a.b.c', `${encode({ alg: 'ES256' })}.${encode({})}.`, `${encode({ alg: 'ES256' })}.${encode([])}.AA`, `${encode({})}.${encode({})}.AA`, `${encode({ alg: 'ES256' })}.${encode({})}.A.A`]) {
    expect(readJwt(text), text).toBeUndefined();
  }
  expect(readJwt(`${encode({ alg: 'ES256' })}.${encode({ x: 'y'.repeat(20_000) })}.AA`)).toBeUndefined();
});

it('[metaserver-20.5] key files hold public keys in any of the PEM forms; one that does not is named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keys-'));
  try {
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const both = await file('both.pem', `# two keys\n${String(p256.publicKey.export({ type: 'spki', format: 'pem' }))}${String(rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }))}`);
    // As `openssl ecparam -genkey` writes it, the curve first.
    const secret = await file('private.pem', '-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n' + String(p384.privateKey.export({ type: 'sec1', format: 'pem' })));
    const keys = await readPublicKeys([both, secret]);
    expect(keys).toHaveLength(3);
    expect(check(keys, token('ES384', 'sha384', p384.privateKey))).toBe(true);
    const empty = await file('empty.pem', 'nothing');
    await expect(readPublicKeys([both, empty])).rejects.toThrow(`names ${empty}, which must hold public keys in PEM form: there is no PEM block in it`);
    await expect(readPublicKeys([join(folder, 'missing.pem')])).rejects.toThrow(/missing\.pem.*ENOENT/);
    const broken = await file('broken.pem', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n');
    await expect(readPublicKeys([broken])).rejects.toThrow(`names ${broken}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
