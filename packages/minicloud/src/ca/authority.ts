import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '@edge/core';
import { minicloudError, MinicloudErrors } from '../errors.js';
import { createAuthority, createServerCertificate, type KeyedCertificate } from './certificates.js';

/** The authority of one data folder and the server's own certificate. */
export interface Pki {
  readonly authority: KeyedCertificate;
  readonly server: KeyedCertificate;
}

/**
 * Reads the authority and the server certificate from `<folder>`, making what is missing. The authority is made once
 * and kept; the server certificate is made anew when its names differ or less than a third of its life is left.
 * @throws EdgeError `minicloud.authority-unreadable` when there is an authority that cannot be read: replacing it
 * would lock out every node, so a person has to decide.
 */
export async function openPki(deps: { folder: string; names: readonly string[]; serverLifeMs: number; now?: number }): Promise<Pki> {
  await mkdir(deps.folder, { recursive: true, mode: 0o700 });
  const authority = (await readPair(deps.folder, 'ca')) ?? (await writePair(deps.folder, 'ca', await createAuthority()));
  const stored = await readPair(deps.folder, `server-${nameHash(deps.names)}`).catch(() => undefined);
  if (stored && isFresh(stored, authority, deps.now ?? Date.now())) return { authority, server: stored };
  const server = await createServerCertificate(authority, deps.names, deps.serverLifeMs);
  return { authority, server: await writePair(deps.folder, `server-${nameHash(deps.names)}`, server) };
}

function isFresh(pair: KeyedCertificate, authority: KeyedCertificate, now: number): boolean {
  const certificate = new X509Certificate(pair.certificatePem);
  const from = Date.parse(certificate.validFrom);
  const to = Date.parse(certificate.validTo);
  return certificate.verify(new X509Certificate(authority.certificatePem).publicKey) && now >= from && to - now > (to - from) / 3;
}

function nameHash(names: readonly string[]): string {
  return createHash('sha256').update([...names].sort().join('\n')).digest('hex').slice(0, 12);
}

async function readPair(folder: string, name: string): Promise<KeyedCertificate | undefined> {
  const [certificatePath, keyPath] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const [certificatePem, privateKeyPem] = await Promise.all([readOptional(certificatePath), readOptional(keyPath)]);
  if (certificatePem === undefined && privateKeyPem === undefined) return undefined;
  // The key is written first, so a lone key is what a crash in between leaves: begin anew.
  if (certificatePem === undefined) return undefined;
  try {
    const certificate = new X509Certificate(certificatePem);
    if (privateKeyPem !== undefined && certificate.checkPrivateKey(createPrivateKey(privateKeyPem))) return { certificatePem, privateKeyPem };
  } catch (cause) {
    throw unreadable(certificatePath, keyPath, cause);
  }
  throw unreadable(certificatePath, keyPath);
}

function unreadable(certificatePath: string, keyPath: string, cause?: unknown): Error {
  return minicloudError(
    MinicloudErrors.authorityUnreadable,
    `${certificatePath} and ${keyPath} are not a certificate and its key: restore both from a copy, or remove both and enrol every node again`,
    cause,
  );
}

async function writePair(folder: string, name: string, pair: KeyedCertificate): Promise<KeyedCertificate> {
  await writeDurably(join(folder, `${name}.key`), pair.privateKeyPem, 0o600);
  await writeDurably(join(folder, `${name}.crt`), pair.certificatePem, 0o644);
  return pair;
}

/** Writes a file so that after a crash it is there as a whole or not at all. */
export async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w', mode);
  try {
    await file.chmod(mode);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
