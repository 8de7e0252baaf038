import { generateKeyPairSync, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { bitString, integer, objectIdentifier, octetString, printableString, sequence, set, tlv, utf8String } from './der.js';

/** A new key and the request to have it certified. */
export interface CertificateRequest {
  /** PEM `EC PRIVATE KEY` (SEC1), as upstream stores it. */
  readonly privateKey: string;
  /** PKCS #10, DER. */
  readonly der: Buffer;
}

/** Parts of a name by their object identifiers. */
const SUBJECT = { country: '2.5.4.6', organization: '2.5.4.10', locality: '2.5.4.7', province: '2.5.4.8', commonName: '2.5.4.3' } as const;
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const ALTERNATIVE_NAMES = '2.5.29.17';
const ATTRIBUTES = 0xa0;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/** Part of a certificate's subject. */
export type SubjectPart = readonly [part: keyof typeof SUBJECT, value: string];

/** Name in a node's certificates. The cloud compares it. */
export function nodeCommonName(node: string): string {
  return `system:node:${node}`;
}

/**
 * A fresh P-256 key and a request for a certificate (RFC 2986).
 * @param subject in the order in which they are to stand; a country has two letters
 * @param names host names and IP addresses that the certificate is to be good for; none for a client's
 */
export function createCertificateRequest(subject: readonly SubjectPart[], names: readonly string[] = []): CertificateRequest {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const parts = subject.map(([part, value]) => set(sequence(objectIdentifier(SUBJECT[part]), part === 'country' ? printableString(value) : utf8String(value))));
  const attributes = names.length === 0 ? [] : [sequence(objectIdentifier(EXTENSION_REQUEST), set(sequence(alternativeNames(names))))];
  const toBeSigned = sequence(integer(0), sequence(...parts), publicKey.export({ type: 'spki', format: 'der' }), tlv(ATTRIBUTES, ...attributes));
  const signature = bitString(sign('sha256', toBeSigned, privateKey));
  return {
    privateKey: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    der: sequence(toBeSigned, sequence(objectIdentifier(ECDSA_WITH_SHA256)), signature),
  };
}

function alternativeNames(names: readonly string[]): Buffer {
  const entries = names.map((name) => (isIP(name) === 0 ? tlv(DNS_NAME, Buffer.from(name, 'latin1')) : tlv(IP_ADDRESS, addressBytes(name))));
  return sequence(objectIdentifier(ALTERNATIVE_NAMES), octetString(sequence(...entries)));
}

/** The 4 or 16 bytes of an IP address. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => 0);
  return Buffer.from([...front, ...zeros, ...back].flatMap((group) => [group >>> 8, group & 0xff]));
}

/** The 16-bit groups of a part of an IPv6 address, of which the last may be written as IPv4. */
function groups(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
