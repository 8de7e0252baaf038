import { EdgeError } from '@edge/core';

/** All error codes of this package. They are stable; texts are not. */
export const EdgeHubErrors = {
  /** The join token has not the form `<CA hash>.<JWT>`. */
  tokenMalformed: 'edgehub.token-malformed',
  /** The join token's `exp` is in the past. */
  tokenExpired: 'edgehub.token-expired',
  /** There are no usable certificates and no token to get some. */
  tokenMissing: 'edgehub.token-missing',
  /** The cloud's CA is not the one that the token was made for. */
  caMismatch: 'edgehub.ca-mismatch',
  /** The certificate endpoint answered with something else than 200. */
  httpStatus: 'edgehub.http-status',
  /** The certificate endpoint answered with more than 1 MiB. */
  httpTooLarge: 'edgehub.http-too-large',
  /** The certificate endpoint did not answer in time. */
  httpTimeout: 'edgehub.http-timeout',
  /** What the certificate endpoint sent is no certificate, or none for this node and key. */
  badCertificate: 'edgehub.bad-certificate',
  /** An address of the configuration cannot be read. */
  badAddress: 'edgehub.bad-address',
  /** No TCP connection. */
  connect: 'edgehub.connect',
  /** TCP stands, TLS does not. */
  tls: 'edgehub.tls',
  /** TLS stands, the server does not turn the connection into a WebSocket. */
  upgrade: 'edgehub.upgrade',
  /** Nothing came within the time that the step may take. */
  stalled: 'edgehub.stalled',
  /** The session ended before the message was answered or sent. */
  linkLost: 'edgehub.link-lost',
  /** The message is larger than the outbox may grow. */
  outboxTooLarge: 'edgehub.outbox-too-large',
} as const;

/** What was found out while dialling; the diagnosis reads it. */
export interface DialFacts {
  /** `host:port` as dialled. */
  readonly address: string;
  /** How far the attempt came. */
  readonly stage: 'connect' | 'tls' | 'request';
  /** What the server showed, when it showed anything. Not to be trusted before it is verified. */
  readonly server?: PeerCertificate;
  readonly httpStatus?: number;
  /** First characters of the body, on one line. */
  readonly httpBody?: string;
  /** The server's `Date` header, milliseconds since the epoch. */
  readonly serverTime?: number;
}

/** The parts of a server's certificate that people can compare. */
export interface PeerCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** Alternative names, `IP 10.0.0.1` style prefixes removed. */
  readonly names: readonly string[];
  readonly notBefore: number;
  readonly notAfter: number;
}

/** An error of dialling, with what is known about the other side. */
export class DialError extends EdgeError {
  override readonly name = 'DialError';
  readonly facts: DialFacts;

  constructor(code: string, message: string, facts: DialFacts, options?: { cause?: unknown }) {
    super(code, message, options);
    this.facts = facts;
  }
}

/** The facts that travel with an error, from whichever copy of this package. */
export function dialFacts(error: unknown): DialFacts | undefined {
  if (typeof error !== 'object' || error === null || !('facts' in error)) return undefined;
  return error.facts as DialFacts;
}
