import { createPrivateKey, type KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { minicloudError, MinicloudErrors } from '../errors.js';

/**
 * Everything that writes X.509, in one file: the library behind it costs 40 ms and 11 MB, so it is loaded when the
 * first certificate has to be made and not before.
 */
type X509 = typeof import('@peculiar/x509');
type Key = webcrypto.CryptoKey;

const CURVE = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ALTERNATIVE_NAMES = '2.5.29.17';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
/** OIDs for Go's numbering of extended key usages, as the header `ExtKeyUsages` carries them. */
const GO_KEY_USAGES: Readonly<Record<number, string>> = { 0: '2.5.29.37.0', 1: SERVER_AUTH, 2: CLIENT_AUTH };
/** Clocks of cloud and node differ; a certificate that begins a moment ago works on both. */
const BACKDATE_MS = 60_000;
const HUNDRED_YEARS_MS = 100 * 365 * 86_400_000;

/** A certificate and its key, both PEM. */
export interface KeyedCertificate {
  readonly certificatePem: string;
  /** SEC1 form. */
  readonly privateKeyPem: string;
}

/** What a certificate request asks for. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** A new self-signed authority: P-256, CN=KubeEdge, a hundred years. */
export async function createAuthority(): Promise<KeyedCertificate> {
  const x509 = await load();
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(), name: [{ CN: ['KubeEdge'] }], keys: keys as never, signingAlgorithm: CURVE,
    notBefore: new Date(Date.now() - BACKDATE_MS), notAfter: new Date(Date.now() + HUNDRED_YEARS_MS),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as never),
    ],
  });
  return { certificatePem: certificate.toString('pem'), privateKeyPem: await sec1(keys.privateKey) };
}

/** A server certificate for the given host names and addresses. */
export async function createServerCertificate(authority: KeyedCertificate, names: readonly string[], lifeMs: number): Promise<KeyedCertificate> {
  const x509 = await load();
  const keys = await newKeys();
  const certificate = await sign(x509, authority, {
    subject: [{ O: ['KubeEdge'] }, { CN: ['KubeEdge'] }], publicKey: keys.publicKey, lifeMs, usages: [SERVER_AUTH, CLIENT_AUTH],
    names: names.map((name) => ({ type: isIP(name) ? 'ip' : 'dns', value: name })),
  });
  return { certificatePem: toPem(certificate), privateKeyPem: await sec1(keys.privateKey) };
}

/**
 * Reads a DER certificate request and checks its own signature.
 * @throws EdgeError `minicloud.bad-certificate-request`
 */
export async function readRequest(der: Uint8Array): Promise<CertificateRequest> {
  const request = await parse(der);
  const fields = (name: string): string[] => request.subjectName.getField(name);
  return { commonName: fields('CN')[0] ?? '', organizations: fields('O') };
}

/**
 * Signs a DER request: subject, key and alternative names are the request's, the uses are as asked.
 * @param usages Go's numbers of extended key usages; client authentication when empty
 * @returns the certificate, DER
 * @throws EdgeError `minicloud.bad-certificate-request`
 */
export async function signRequest(authority: KeyedCertificate, der: Uint8Array, usages: readonly number[], lifeMs: number): Promise<Buffer> {
  const x509 = await load();
  const request = await parse(der);
  const wanted = request.getExtension(ALTERNATIVE_NAMES) as InstanceType<X509['SubjectAlternativeNameExtension']> | null;
  return sign(x509, authority, {
    subject: request.subjectName.toJSON(),
    publicKey: (await request.publicKey.export()) as unknown as Key,
    lifeMs,
    usages: (usages.length === 0 ? [2] : usages).map((usage) => GO_KEY_USAGES[usage] ?? CLIENT_AUTH),
    names: wanted ? wanted.names.toJSON().filter((name) => name.type === 'dns' || name.type === 'ip').map((name) => ({ type: name.type as 'dns' | 'ip', value: name.value })) : [],
  });
}

/** The DER bytes of a PEM certificate. */
export function certificateDer(pem: string): Buffer {
  return new X509Certificate(pem).raw;
}

interface SignPlan {
  readonly subject: ConstructorParameters<X509['Name']>[0];
  readonly publicKey: Key;
  readonly lifeMs: number;
  readonly usages: readonly string[];
  readonly names: readonly { type: 'dns' | 'ip'; value: string }[];
}

async function sign(x509: X509, authority: KeyedCertificate, plan: SignPlan): Promise<Buffer> {
  const issuer = new x509.X509Certificate(authority.certificatePem);
  const signingKey = await importPrivate(createPrivateKey(authority.privateKeyPem));
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(), issuer: issuer.subject, subject: new x509.Name(plan.subject).toString(), publicKey: plan.publicKey as never,
    signingKey: signingKey as never, signingAlgorithm: CURVE,
    notBefore: new Date(now - Math.min(BACKDATE_MS, plan.lifeMs / 10)), notAfter: new Date(now + plan.lifeMs),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([...plan.usages]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(plan.names.length > 0 ? [new x509.SubjectAlternativeNameExtension([...plan.names])] : []),
    ],
  });
  return Buffer.from(certificate.rawData);
}

async function parse(der: Uint8Array): Promise<InstanceType<X509['Pkcs10CertificateRequest']>> {
  const x509 = await load();
  try {
    const request = new x509.Pkcs10CertificateRequest(Buffer.from(der));
    if (await request.verify()) return request;
  } catch (cause) {
    throw minicloudError(MinicloudErrors.badRequest, `the body of ${der.length} bytes is not a certificate request in DER form`, cause);
  }
  throw minicloudError(MinicloudErrors.badRequest, 'the signature of the certificate request does not fit its key');
}

async function load(): Promise<X509> {
  // The library's container reads decorator metadata at import, so the polyfill has to be there first.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

async function importPrivate(key: KeyObject): Promise<Key> {
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', pkcs8, CURVE, false, ['sign']);
}

async function sec1(key: Key): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ type: 'sec1', format: 'pem' }).toString();
}

function serial(): string {
  // The first bit stays clear: a serial number is a positive integer.
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x01;
  return bytes.toString('hex');
}

function toPem(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
}
