import { createPrivateKey, X509Certificate } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText } from '@edge/core';
import { metaServerError } from '../errors.js';

/** The serving certificate with its key, PEM, and when it lives (milliseconds since the epoch). */
export interface ServingPair {
  readonly certificate: string;
  readonly privateKey: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

const CURRENT = 'metaserver-current.pem';
const AUTHORITY = 'ca.crt';
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n?/g;
const KEY = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?-----END \1-----\n?/;

/**
 * The folder of the serving certificate, laid out as upstream's (client-go's certificate store), so that either agent takes over
 * from the other: `metaserver-<time>.pem` holds certificate and key, `metaserver-current.pem` points to the one in use, `ca.crt` is the
 * cluster's authority.
 */
export class CertificateFiles {
  readonly #folder: string;

  constructor(deps: { folder: string }) {
    this.#folder = deps.folder;
  }

  /**
   * Undefined when there is none.
   * @throws EdgeError `metaserver.bad-certificate` naming the file when it cannot be used
   */
  async read(): Promise<ServingPair | undefined> {
    const path = join(this.#folder, CURRENT);
    const text = await readOptional(path);
    if (text === undefined) return undefined;
    try {
      return servingPair((text.match(CERTIFICATES) ?? []).join(''), KEY.exec(text)?.[0] ?? '');
    } catch (cause) {
      throw metaServerError('metaserver.bad-certificate', `${path} is no certificate with its key: ${errorText(cause)}`, cause);
    }
  }

  /**
   * PEM of the cluster's authority, undefined when there is none.
   * @throws EdgeError `metaserver.bad-certificate` naming the file when it cannot be used
   */
  async readAuthority(): Promise<string | undefined> {
    const path = join(this.#folder, AUTHORITY);
    const text = await readOptional(path);
    if (text === undefined) return undefined;
    try {
      return authoritiesIn(text);
    } catch (cause) {
      throw metaServerError('metaserver.bad-certificate', `${path} holds no certificate of an authority: ${errorText(cause)}`, cause);
    }
  }

  async writeAuthority(pem: string): Promise<void> {
    await this.#write(AUTHORITY, pem, 0o644);
  }

  /** The pair before stays until the new one is whole. */
  async write({ certificate, privateKey }: ServingPair, now: number): Promise<void> {
    const name = `metaserver-${new Date(now).toISOString().slice(0, 19).replace(/[T:]/g, '-')}.pem`;
    await this.#write(name, `${ended(certificate)}${ended(privateKey)}`, 0o600);
    const next = join(this.#folder, `${CURRENT}.next`);
    await rm(next, { force: true });
    // Absolute, as upstream's store writes it.
    await symlink(join(this.#folder, name), next);
    await rename(next, join(this.#folder, CURRENT));
    await syncFolder(this.#folder);
  }

  async #write(name: string, text: string, mode: number): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const next = join(this.#folder, `${name}.next`);
    await rm(next, { force: true });
    const file = await open(next, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, join(this.#folder, name));
  }
}

/** Throws when the key is not the certificate's, or either cannot be read. */
export function servingPair(certificate: string, privateKey: string): ServingPair {
  const read = new X509Certificate(certificate);
  if (!read.checkPrivateKey(createPrivateKey(privateKey))) throw new Error('the key does not belong to the certificate');
  return { certificate, privateKey, notBefore: Date.parse(read.validFrom), notAfter: Date.parse(read.validTo) };
}

/** The certificates of a PEM text. Throws when there is none, or one cannot be read: a server could not be made with it. */
export function authoritiesIn(text: string): string {
  const blocks = text.match(CERTIFICATES) ?? [];
  if (blocks.length === 0) throw new Error('there is no PEM block of a certificate in it');
  return blocks.map((block) => new X509Certificate(block).toString()).join('');
}

const ended = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
