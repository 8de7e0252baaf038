import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

/** Outcome of looking at a node's upgrade request. */
export type Handshake = { readonly node: string } | { readonly status: number; readonly text: string };

/** What the hub knows when a node asks to connect. */
export interface HandshakeRules {
  /** Whether the certificate must be the node's own. */
  readonly authorize: boolean;
  readonly nodeLimit: number;
  /** Nodes connected now; the asking one does not count. */
  readonly others: (node: string) => number;
}

/**
 * Looks at an upgrade request. CloudHub leaves the socket of a refused node open and silent; here the answer to the
 * upgrade says what is wrong.
 */
export function judgeHandshake(request: IncomingMessage, rules: HandshakeRules): Handshake {
  const node = header(request, 'node_id');
  if (node === '') return { status: 400, text: 'the header node_id is missing (some proxies drop headers with an underscore)' };
  if (header(request, 'connectionuse') !== 'msg') return { status: 400, text: 'the header ConnectionUse must be "msg"' };
  const certificate = (request.socket as TLSSocket).getPeerCertificate();
  const name = [certificate?.subject?.CN ?? ''].flat()[0] ?? '';
  if (rules.authorize && name !== `system:node:${node}`) {
    return { status: 403, text: `the certificate belongs to "${name}", the link was asked for by node "${node}"` };
  }
  if (rules.others(node) >= rules.nodeLimit) return { status: 503, text: `the limit of ${rules.nodeLimit} nodes is reached` };
  return { node };
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  // A repeated header comes as "msg, msg"; the first one counts.
  return (Array.isArray(value) ? value[0] : value)?.split(',')[0]?.trim() ?? '';
}
