import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { EdgeError, errorText, nodeCommonName, type Credentials } from '@edge/core';
import { EdgeHubErrors } from '../errors.js';

/** The node's certificate with its key and the CA, all PEM, and when it lives (milliseconds since the epoch). */
export interface NodePair extends Credentials {
  readonly notBefore: number;
}

/** Edges before v1.13 had certificates in this name; CloudHub still takes them. */
const LEGACY_COMMON_NAME = 'kubeedge.io';

/**
 * Puts certificate, key and CA together and checks that they belong together and to this node.
 * A validity that does not cover the present is no error here: clocks may be wrong, the cloud decides.
 * @throws EdgeError `edgehub.bad-certificate`
 */
export function createPair(parts: { readonly ca: string; readonly certificate: string; readonly privateKey: string }, node: string): NodePair {
  const certificate = readCertificate(parts.certificate, 'the node certificate');
  readCertificate(parts.ca, 'the CA certificate');
  let fits: boolean;
  try {
    fits = certificate.checkPrivateKey(createPrivateKey(parts.privateKey));
  } catch (cause) {
    throw new EdgeError(EdgeHubErrors.badCertificate, `the private key cannot be read: ${errorText(cause)}`, { cause });
  }
  if (!fits) throw new EdgeError(EdgeHubErrors.badCertificate, 'the private key does not belong to the node certificate');
  const name = commonName(certificate);
  if (name !== nodeCommonName(node) && name !== LEGACY_COMMON_NAME) {
    throw new EdgeError(EdgeHubErrors.badCertificate, `the node certificate is made out to "${name}", this node is "${nodeCommonName(node)}"`);
  }
  return { ...parts, notBefore: Date.parse(certificate.validFrom), notAfter: Date.parse(certificate.validTo) };
}

/** @throws EdgeError `edgehub.bad-certificate` */
export function readCertificate(text: string | Uint8Array, what: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new EdgeError(EdgeHubErrors.badCertificate, `${what} cannot be read: ${errorText(cause)}`, { cause });
  }
}

/** SHA-256 of the DER, lower-case hex: how join tokens name a CA. */
export function certificateHash(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('hex');
}

/** PEM with a newline at the end. */
export function toPem(certificate: X509Certificate): string {
  const text = certificate.toString();
  return text.endsWith('\n') ? text : `${text}\n`;
}

function commonName(certificate: X509Certificate): string {
  return /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '';
}
