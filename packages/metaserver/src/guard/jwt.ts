import { verify, type KeyObject } from 'node:crypto';
import { isFields } from '@edge/protocol';

/** A JSON Web Token taken apart, checked by nobody. */
export interface Jwt {
  readonly algorithm: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What the signature is over. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

interface Scheme {
  readonly keyType: string;
  readonly hash: string;
  /** Curve of an elliptic key as OpenSSL calls it. */
  readonly curve?: string;
}

/** What API servers sign with (RFC 7518). Nothing symmetric and not `none`: a public key is no secret. */
const SCHEMES: Readonly<Record<string, Scheme>> = {
  RS256: { keyType: 'rsa', hash: 'sha256' },
  RS384: { keyType: 'rsa', hash: 'sha384' },
  RS512: { keyType: 'rsa', hash: 'sha512' },
  ES256: { keyType: 'ec', hash: 'sha256', curve: 'prime256v1' },
  ES384: { keyType: 'ec', hash: 'sha384', curve: 'secp384r1' },
  ES512: { keyType: 'ec', hash: 'sha512', curve: 'secp521r1' },
};
/** A token of a service account has about 1,000 characters. */
const LONGEST = 16 * 1024;

/** Undefined for a text that is no JWT. */
export function readJwt(token: string): Jwt | undefined {
  const [head, body, signature, ...rest] = token.length <= LONGEST ? token.split('.') : [];
  if (!head || !body || !signature || rest.length > 0) return undefined;
  const header = decode(head);
  const claims = decode(body);
  if (header === undefined || claims === undefined || typeof header['alg'] !== 'string') return undefined;
  return { algorithm: header['alg'], claims, signed: Buffer.from(`${head}.${body}`), signature: Buffer.from(signature, 'base64url') };
}

/** True when one of the keys has signed it. */
export function isSignedBy(keys: readonly KeyObject[], { algorithm, signed, signature }: Jwt): boolean {
  const scheme = Object.hasOwn(SCHEMES, algorithm) ? SCHEMES[algorithm] : undefined;
  if (scheme === undefined) return false;
  return keys.some((key) => {
    if (key.asymmetricKeyType !== scheme.keyType || (scheme.curve !== undefined && key.asymmetricKeyDetails?.namedCurve !== scheme.curve)) return false;
    return verify(scheme.hash, signed, scheme.keyType === 'ec' ? { key, dsaEncoding: 'ieee-p1363' } : key, signature);
  });
}

function decode(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
