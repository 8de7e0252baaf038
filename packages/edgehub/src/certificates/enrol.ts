import { EdgeError } from '@edge/core';
import { DialError, EdgeHubErrors, type DialFacts } from '../errors.js';
import { parseAddress } from '../link/address.js';
import { httpsGet } from './https-get.js';
import type { JoinToken } from './join-token.js';
import { certificateHash, createPair, readCertificate, toPem, type NodePair } from './pair.js';
import { nodeCertificateRequest } from './request.js';

export interface EnrolOptions {
  readonly node: string;
  /** `https://host:10002` */
  readonly httpServer: string;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const DEFAULT_PORT = 10_002;

/**
 * Gets the node its first certificate: fetches the CA, checks it against the token, has a fresh key certified.
 * Nothing secret is sent before the CA's hash is right.
 * @throws EdgeError `edgehub.ca-mismatch`, `edgehub.token-expired`, `edgehub.bad-certificate` and those of `httpsGet`
 */
export async function enrol(token: JoinToken, options: EnrolOptions): Promise<NodePair> {
  const address = parseAddress(options.httpServer, DEFAULT_PORT);
  const answer = await httpsGet({ address, path: '/ca.crt', ca: undefined, signal: options.signal });
  const authority = readFrom(answer, 'the CA certificate that the cloud sent');
  const shown = certificateHash(authority);
  if (shown !== token.caHash) {
    throw new DialError(EdgeHubErrors.caMismatch, `the token was made for the CA ${token.caHash}, ${answer.facts.address} has the CA ${shown}`, answer.facts);
  }
  // The cloud's clock decides whether a token is still good; ours may stand in 1970 or in the future.
  const now = answer.facts.serverTime ?? options.now();
  if (token.expiresAt !== undefined && token.expiresAt <= now) {
    throw new DialError(EdgeHubErrors.tokenExpired, `the join token expired at ${new Date(token.expiresAt).toISOString()}`, answer.facts);
  }
  return certify(options, toPem(authority), { Authorization: `Bearer ${token.bearer}` }, undefined);
}

/** Gets a new certificate for a new key, showing the present one. Throws as `enrol` does. */
export function renew(present: NodePair, options: EnrolOptions): Promise<NodePair> {
  return certify(options, present.ca, {}, present);
}

async function certify(options: EnrolOptions, ca: string, headers: Readonly<Record<string, string>>, shown: NodePair | undefined): Promise<NodePair> {
  const request = nodeCertificateRequest(options.node);
  const answer = await httpsGet({
    address: parseAddress(options.httpServer, DEFAULT_PORT),
    path: '/edge.crt',
    headers: { NodeName: options.node, ...headers },
    body: request.der,
    ca,
    signal: options.signal,
    ...(shown ? { certificate: shown.certificate, privateKey: shown.privateKey } : {}),
  });
  const certificate = readFrom(answer, 'the node certificate that the cloud sent');
  return createPair({ ca, certificate: toPem(certificate), privateKey: request.privateKey }, options.node);
}

function readFrom(answer: { readonly body: Buffer; readonly facts: DialFacts }, what: string): ReturnType<typeof readCertificate> {
  try {
    return readCertificate(answer.body, what);
  } catch (cause) {
    throw cause instanceof EdgeError ? new DialError(cause.code, cause.message, answer.facts, { cause }) : cause;
  }
}
