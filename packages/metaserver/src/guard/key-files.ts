import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { EdgeError, errorText } from '@edge/core';
import { CONFIG_PATH } from '../config.js';

const BLOCK = /-----BEGIN ([A-Z ]+)-----[\s\S]*?-----END \1-----/g;

/**
 * Reads the keys that sign tokens: PEM files with public keys, certificates or private keys, any number in each. The
 * parameters that OpenSSL writes before an elliptic key are no key.
 * @throws EdgeError `config.invalid` naming the file
 */
export async function readPublicKeys(files: readonly string[]): Promise<readonly KeyObject[]> {
  return (await Promise.all(files.map(readFrom))).flat();
}

async function readFrom(file: string): Promise<readonly KeyObject[]> {
  try {
    const keys = [...(await readFile(file, 'utf8')).matchAll(BLOCK)].filter(([, label]) => label !== 'EC PARAMETERS').map(([block]) => createPublicKey(block));
    if (keys.length > 0) return keys;
  } catch (cause) {
    throw invalid(file, errorText(cause), cause);
  }
  throw invalid(file, 'there is no PEM block in it');
}

function invalid(file: string, why: string, cause?: unknown): EdgeError {
  return new EdgeError('config.invalid', `${CONFIG_PATH}.serviceAccountKeyFiles names ${file}, which must hold public keys in PEM form: ${why}`, cause === undefined ? {} : { cause });
}
