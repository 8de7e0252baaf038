import { EdgeError } from '@edge/core';
import { EdgeHubErrors } from '../errors.js';

/** A join token, taken apart. */
export interface JoinToken {
  /** SHA-256 of the cloud's CA certificate (DER), lower-case hex. */
  readonly caHash: string;
  /** What goes into the `Authorization` header. A secret. */
  readonly bearer: string;
  /** Milliseconds since the epoch; undefined when the token does not say. */
  readonly expiresAt: number | undefined;
}

const ADVICE = 'get one with "keadm gettoken" on the cloud side and put it into modules.edgeHub.token as it is';

/**
 * Takes a token apart. White space around it is forgiven, and so is the base64 form that `kubectl get secret` shows.
 * @throws EdgeError `edgehub.token-malformed`; the token itself is never part of the text
 */
export function parseJoinToken(text: string): JoinToken {
  const trimmed = text.trim();
  const parts = (trimmed.includes('.') ? trimmed : Buffer.from(trimmed, 'base64').toString('latin1')).split('.');
  const [caHash = '', header = '', payload = '', signature = ''] = parts;
  if (parts.length !== 4) throw malformed(`it has ${parts.length} parts between dots instead of 4`);
  if (!/^[0-9a-fA-F]{64}$/.test(caHash)) throw malformed('its first part is not the SHA-256 hash of a CA (64 hex digits)');
  const claims = decode(payload);
  if (!claims || !decode(header) || signature === '') throw malformed('its parts 2 to 4 are not a JWT');
  const { exp } = claims;
  return {
    caHash: caHash.toLowerCase(),
    bearer: `${header}.${payload}.${signature}`,
    expiresAt: typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined,
  };
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function malformed(what: string): EdgeError {
  return new EdgeError(EdgeHubErrors.tokenMalformed, `the join token is malformed, ${what}: ${ADVICE}`);
}
