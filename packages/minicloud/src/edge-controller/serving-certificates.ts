import { signRequest, type KeyedCertificate, readRequest } from '../ca/certificates.js';

/** Uses that a server's certificate has, in Go's numbering. */
const SERVER_AUTH = 1;
const SIGNER = 'kubernetes.io/kubelet-serving';

/** `spec` of a CertificateSigningRequest. */
export interface RequestSpec {
  readonly request?: string;
  readonly signerName?: string;
}

/**
 * Signs the serving certificates of nodes, each for the node that asks. In a cluster a person approves them; here the node has shown
 * who it is on the link. The alternative names are as the node wants them.
 */
export class ServingCertificates {
  readonly #authority: KeyedCertificate;
  readonly #lifeMs: number;

  constructor(deps: { authority: KeyedCertificate; lifeMs: number }) {
    this.#authority = deps.authority;
    this.#lifeMs = deps.lifeMs;
  }

  /**
   * PEM, undefined for what is not signed here: another signer, another node's name, no request at all.
   * @param node the one that asks
   */
  async sign(node: string, { request, signerName }: RequestSpec): Promise<string | undefined> {
    if (signerName !== SIGNER || typeof request !== 'string') return undefined;
    const der = Buffer.from(Buffer.from(request, 'base64').toString('latin1').replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
    const wanted = await readRequest(der).catch(() => undefined);
    if (wanted?.commonName !== `system:node:${node}` || wanted.organizations.join() !== 'system:nodes') return undefined;
    const signed = await signRequest(this.#authority, der, [SERVER_AUTH], this.#lifeMs);
    return `-----BEGIN CERTIFICATE-----\n${signed.toString('base64').replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
  }
}
