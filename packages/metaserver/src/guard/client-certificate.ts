import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket, type PeerCertificate } from 'node:tls';
import type { UserInfo } from '@edge/kubeapi';

const MASTERS = 'system:masters';
const NODE = 'system:node:';

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
  // CloudHub signs what a node asks for, so a certificate of its authority, or a node's, must not make anyone a master.
  const mayRule = !name.startsWith(NODE) && isIssuedBy(peer.raw, clusterCa);
  const groups = organizations.filter((group) => group !== MASTERS || mayRule);
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
