import { generateKeyPairSync, sign } from 'node:crypto';
import { bitString, integer, objectIdentifier, printableString, sequence, set, tlv, utf8String } from './der.js';

/** A new key and the request to have it certified. */
export interface CertificateRequest {
  /** PEM `EC PRIVATE KEY` (SEC1), as upstream stores it. */
  readonly privateKey: string;
  /** PKCS #10, DER. */
  readonly der: Buffer;
}

/** Parts of a subject in the order in which Go writes them. */
const SUBJECT = { country: '2.5.4.6', organization: '2.5.4.10', locality: '2.5.4.7', province: '2.5.4.8', commonName: '2.5.4.3' } as const;
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const ATTRIBUTES = 0xa0;

/** Name in a node's certificate. CloudHub compares it at renewal and, when it authorizes, on the link. */
export function nodeCommonName(node: string): string {
  return `system:node:${node}`;
}

/** A fresh P-256 key and a request for `O=system:nodes, CN=system:node:<node>`. */
export function createCertificateRequest(node: string): CertificateRequest {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = sequence(
    name(SUBJECT.country, printableString('CN')),
    name(SUBJECT.organization, utf8String('system:nodes')),
    name(SUBJECT.locality, utf8String('Hangzhou')),
    name(SUBJECT.province, utf8String('Zhejiang')),
    name(SUBJECT.commonName, utf8String(nodeCommonName(node))),
  );
  const toBeSigned = sequence(integer(0), subject, publicKey.export({ type: 'spki', format: 'der' }), tlv(ATTRIBUTES));
  const signature = bitString(sign('sha256', toBeSigned, privateKey));
  return {
    privateKey: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    der: sequence(toBeSigned, sequence(objectIdentifier(ECDSA_WITH_SHA256)), signature),
  };
}

function name(type: string, value: Buffer): Buffer {
  return set(sequence(objectIdentifier(type), value));
}
