import 'reflect-metadata';
import { createHash, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** A certificate and its key, PEM. */
export interface IssuedPair {
  readonly certificate: string;
  readonly privateKey: string;
}

/** A certificate authority for one test, P-256 as KubeEdge's. */
export interface TestCa {
  readonly certificate: string;
  /** SHA-256 of the DER, hex: the first part of a join token. */
  readonly hash: string;
  /** Server certificate for names and addresses. */
  server(names?: readonly string[], validity?: Validity): Promise<IssuedPair>;
  /** Client certificate `O=system:nodes, CN=system:node:<name>`. */
  node(name: string, validity?: Validity): Promise<IssuedPair>;
  /** Signs a certificate request (DER) as CloudHub does: subject as asked for, client authentication. Returns DER. Rejects a request whose own signature is wrong. */
  certify(request: Uint8Array, validity?: Validity): Promise<Buffer>;
  /** As `certify`, for a server: with the names that the request asks for. */
  certifyServer(request: Uint8Array, validity?: Validity): Promise<Buffer>;
  /** Client certificate with any subject, such as `CN=ann, O=dev`. */
  client(subject: string, validity?: Validity): Promise<IssuedPair>;
}

export interface Validity {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR = 3_600_000;
const ALTERNATIVE_NAMES = '2.5.29.17';

/** Makes a CA with a fresh key. */
export async function createTestCa(commonName = 'KubeEdge'): Promise<TestCa> {
  x509.cryptoProvider.set(webcrypto as never);
  const keys = await generateKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '0400',
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - HOUR),
    notAfter: new Date(Date.now() + 24 * HOUR),
    extensions: [new x509.BasicConstraintsExtension(true, 1, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true)],
  });
  const issue = async (subject: string, extensions: x509.Extension[], validity: Validity = {}): Promise<IssuedPair> => {
    const own = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject,
      issuer: ca.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ALGORITHM,
      notBefore: validity.notBefore ?? new Date(Date.now() - HOUR),
      notAfter: validity.notAfter ?? new Date(Date.now() + 24 * HOUR),
      extensions,
    });
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
    return { certificate: certificate.toString('pem'), privateKey: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
  };
  const certify = async (request: Uint8Array, extensions: (asked: x509.Pkcs10CertificateRequest) => x509.Extension[], validity: Validity = {}): Promise<Buffer> => {
    const asked = new x509.Pkcs10CertificateRequest(new Uint8Array(request));
    if (!(await asked.verify())) throw new Error('the certificate request is not signed by its own key');
    const certificate = await x509.X509CertificateGenerator.create({
      subject: asked.subject,
      issuer: ca.subject,
      publicKey: asked.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ALGORITHM,
      notBefore: validity.notBefore ?? new Date(Date.now() - HOUR),
      notAfter: validity.notAfter ?? new Date(Date.now() + 24 * HOUR),
      extensions: extensions(asked),
    });
    return Buffer.from(certificate.rawData);
  };
  return {
    certificate: ca.toString('pem'),
    hash: createHash('sha256').update(Buffer.from(ca.rawData)).digest('hex'),
    server: (names = ['127.0.0.1', 'localhost'], validity) =>
      issue(
        'CN=KubeEdge, O=KubeEdge',
        [
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          new x509.SubjectAlternativeNameExtension(names.map((name) => ({ type: /^[\d.]+$|:/.test(name) ? 'ip' : 'dns', value: name }))),
        ],
        validity,
      ),
    certify: (request, validity) => certify(request, () => [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])], validity),
    certifyServer: (request, validity) => {
      const names = (asked: x509.Pkcs10CertificateRequest): x509.Extension[] => asked.extensions.filter(({ type }) => type === ALTERNATIVE_NAMES);
      return certify(request, (asked) => [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]), ...names(asked)], validity);
    },
    client: (subject, validity) => issue(subject, [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])], validity),
    node: (name, validity) =>
      issue(`CN=system:node:${name}, O=system:nodes`, [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])], validity),
  };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}
