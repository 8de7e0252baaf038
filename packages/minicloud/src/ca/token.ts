import { createHash, createHmac, createPrivateKey, timingSafeEqual } from 'node:crypto';
import type { KeyedCertificate } from './certificates.js';
import { certificateDer } from './certificates.js';

/** Why a bearer token is refused. */
export type TokenProblem = 'empty' | 'malformed' | 'signature' | 'expired';

const HEADER = encode({ alg: 'HS256', typ: 'JWT' });

/**
 * A join token: SHA-256 of the authority's certificate, then a JWT that only says when it ends.
 * @param expiresAt milliseconds since the epoch
 */
export function createJoinToken(authority: KeyedCertificate, expiresAt: number): string {
  const body = `${HEADER}.${encode({ exp: Math.floor(expiresAt / 1000) })}`;
  return `${authorityHash(authority)}.${body}.${mac(authority, body).toString('base64url')}`;
}

/** Hex SHA-256 of the authority's certificate in DER form, the first part of a join token. */
function authorityHash(authority: KeyedCertificate): string {
  return createHash('sha256').update(certificateDer(authority.certificatePem)).digest('hex');
}

/**
 * Checks the three-part token that a node sends.
 * @param now milliseconds since the epoch
 * @returns what is wrong, undefined when it is good
 */
export function checkBearer(authority: KeyedCertificate, bearer: string, now: number): TokenProblem | undefined {
  if (bearer === '') return 'empty';
  const parts = bearer.split('.');
  if (parts.length !== 3) return 'malformed';
  const [header, payload, signature] = parts as [string, string, string];
  const given = Buffer.from(signature, 'base64url');
  const expected = mac(authority, `${header}.${payload}`);
  const expiry = readExpiry(header, payload);
  if (expiry === undefined) return 'malformed';
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'signature';
  return expiry * 1000 > now ? undefined : 'expired';
}

function readExpiry(header: string, payload: string): number | undefined {
  try {
    const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg?: unknown };
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp?: unknown };
    return alg === 'HS256' && typeof exp === 'number' ? exp : undefined;
  } catch {
    return undefined;
  }
}

function mac(authority: KeyedCertificate, body: string): Buffer {
  const key = createPrivateKey(authority.privateKeyPem).export({ type: 'sec1', format: 'der' });
  return createHmac('sha256', key).update(body).digest();
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
