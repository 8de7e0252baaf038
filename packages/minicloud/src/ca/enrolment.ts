import type { TokenProblem } from './token.js';

/** What is known about a request for a node certificate. Header names are looked up in lower case. */
export interface EnrolmentRequest {
  /** Header `NodeName`. */
  readonly nodeName: string;
  /** Header `Authorization`, empty when absent. */
  readonly authorization: string;
  /** The client certificate that came with the TLS session; undefined when there was none. */
  readonly peer: PeerCertificate | undefined;
  /** Subject of the certificate request. */
  readonly wanted: { readonly commonName: string; readonly organizations: readonly string[] };
}

export interface PeerCertificate {
  /** Signed by our authority, in its time, for client authentication. */
  readonly trusted: boolean;
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** Whether to sign; a refusal is an HTTP status and a line of text for the node's log. */
export type EnrolmentVerdict = { readonly ok: true } | { readonly ok: false; readonly status: number; readonly text: string };

const OWN_NAME = 'system:node:';
const NODES = 'system:nodes';

/**
 * Decides on a request for a node certificate. A client certificate counts before a token, as in CloudHub.
 * Stricter than CloudHub in one point: the name asked for must be the node's own, so that no node can get the
 * certificate of another one.
 */
export function judgeEnrolment(request: EnrolmentRequest, checkToken: (bearer: string) => TokenProblem | undefined): EnrolmentVerdict {
  if (request.nodeName === '') return refuse(401, 'the header NodeName is missing');
  // An expired certificate beside a fresh token is a node that enrols again; CloudHub would turn it away.
  const usePeer = request.peer !== undefined && (request.peer.trusted || request.authorization === '');
  const entrance = usePeer ? judgePeer(request.peer, request.nodeName) : judgeToken(request.authorization, checkToken);
  if (!entrance.ok) return entrance;
  const own = `${OWN_NAME}${request.nodeName}`;
  if (request.wanted.commonName !== own) {
    return refuse(401, `the request asks for the name "${request.wanted.commonName}", node ${request.nodeName} may only have "${own}"`);
  }
  return { ok: true };
}

function judgePeer(peer: PeerCertificate, nodeName: string): EnrolmentVerdict {
  if (!peer.trusted) return refuse(401, 'the client certificate is expired or not from this cloud: enrol again with a token');
  if (peer.organizations[0] !== NODES || peer.commonName !== `${OWN_NAME}${nodeName}`) {
    return refuse(401, `the client certificate belongs to "${peer.commonName}", not to node ${nodeName}`);
  }
  return { ok: true };
}

function judgeToken(authorization: string, checkToken: (bearer: string) => TokenProblem | undefined): EnrolmentVerdict {
  if (authorization === '') return refuse(401, 'no token: the header Authorization is empty');
  const [scheme, bearer, ...rest] = authorization.split(' ');
  if (scheme !== 'Bearer' || bearer === undefined || rest.length > 0) {
    return refuse(401, 'the token cannot be split: the header Authorization must be "Bearer <header>.<payload>.<signature>"');
  }
  const problem = checkToken(bearer);
  if (problem === undefined) return { ok: true };
  return refuse(401, `the token is ${TOKEN_TEXTS[problem]}`);
}

const TOKEN_TEXTS: Readonly<Record<TokenProblem, string>> = {
  empty: 'empty',
  malformed: 'invalid: it is not of the form header.payload.signature',
  signature: 'invalid: it was not made by this cloud',
  expired: 'invalid: it has expired, get a new one from the cloud',
};

function refuse(status: number, text: string): EnrolmentVerdict {
  return { ok: false, status, text };
}
