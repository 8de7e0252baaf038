import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket, type PeerCertificate } from 'node:tls';
import type { UserInfo } from '@edge/kubeapi';

const MASTERS = 'system:masters';
const NODE = 'system:node:';
const NODES = 'system:nodes';

/** The client certificate of a connection. */
export type ClientCertificate =
  | { readonly kind: 'none' }
  /** Not of our authorities, out of its time, or not for clients. */
  | { readonly kind: 'untrusted'; readonly why: string }
  | { readonly kind: 'trusted'; readonly user: UserInfo };

/** @param clusterCa PEM of the cluster's authority, undefined while it is not known */
export function clientCertificateOf({ socket }: IncomingMessage, clusterCa: string | undefined): ClientCertificate {
  if (!(socket instanceof TLSSocket)) return { kind: 'none' };
  const peer = socket.getPeerCertificate() as PeerCertificate | undefined;
  if (peer?.raw === undefined) return { kind: 'none' };
  if (!socket.authorized) return { kind: 'untrusted', why: String(socket.authorizationError) };
  const { subject } = peer as { subject?: { CN?: string | string[]; O?: string | string[] } };
  const name = [subject?.CN ?? ''].flat()[0] ?? '';
  if (name === '') return { kind: 'untrusted', why: 'it has no common name' };
  const organizations = [subject?.O ?? []].flat();
  const isNode = name.startsWith(NODE);
  const isOfCluster = isIssuedBy(peer.raw, clusterCa);
  // CloudHub signs whatever name and groups a node asks for: its authority tells nodes apart, and makes nobody anyone else.
  if (!isOfCluster && !isNode) return { kind: 'untrusted', why: `the cluster's authority has not signed it, and that of the nodes does not make it ${JSON.stringify(name)}` };
  const groups = organizations.filter((group) => (isOfCluster ? group !== MASTERS || !isNode : group === NODES));
  return { kind: 'trusted', user: { name, groups: [...groups, 'system:authenticated'] } };
}

function isIssuedBy(certificate: Buffer, authorities: string | undefined): boolean {
  const blocks = authorities?.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const own = new X509Certificate(certificate);
  return blocks.some((pem) => {
    const authority = new X509Certificate(pem);
    return own.checkIssued(authority) && own.verify(authority.publicKey);
  });
}
