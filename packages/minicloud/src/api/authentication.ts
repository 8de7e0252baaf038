import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AccessRequest, Authenticator, Authorizer, UserInfo } from '@edge/kubeapi';
import { errorCode } from '@edge/core';
import { writeDurably } from '../ca/authority.js';
import type { TokenIssuer } from './service-account-tokens.js';

const ADMIN: UserInfo = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };
const READS: readonly string[] = ['get', 'list', 'watch'];

/** Reads the administrator's token, making it when it is missing. */
export async function openAdminToken(path: string): Promise<string> {
  try {
    const token = (await readFile(path, 'utf8')).trim();
    if (token !== '') return token;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  const token = randomBytes(32).toString('base64url');
  await writeDurably(path, `${token}\n`, 0o600);
  return token;
}

/** Knows the administrator by the token of the kubeconfig and service accounts by theirs. */
export function bearerAuthenticator(adminToken: string, tokens: TokenIssuer): Authenticator {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const admin = digest(adminToken);
  return (request) => {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    if (scheme?.toLowerCase() !== 'bearer' || !token) return undefined;
    return timingSafeEqual(digest(token), admin) ? ADMIN : tokens.check(token);
  };
}

/**
 * The administrator may do all, a service account may read its own namespace but for Secrets. Roles and bindings are
 * stored but not looked at.
 */
export const authorize: Authorizer = ({ user, verb, ref }: AccessRequest) => {
  if (user.groups.includes('system:masters') || !ref) return true;
  const [, , namespace] = user.name.split(':');
  const isOwn = user.groups.includes('system:serviceaccounts') && ref.namespace === namespace;
  if (isOwn && READS.includes(verb) && ref.resource !== 'secrets' && ref.subresource === undefined) return true;
  return 'a service account may only read its own namespace here, Secrets excepted';
};
