import { randomBytes } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, errorText } from '@edge/core';
import { metaManagerError } from '../errors.js';

const HEADER = 'edge-token-key-v1 ';
/** A key file is one short line; what is longer is something else. */
const LONGEST = 1024;

/**
 * What was found. `exposed`: others than the owner could read it, so it is good for reading what it sealed and no more.
 * `missing` and `damaged`: what it sealed cannot be read any more.
 */
export type FoundKey = { readonly state: 'good' | 'exposed'; readonly key: Buffer } | { readonly state: 'missing' | 'damaged' };

/**
 * Reads the key with which tokens are encrypted.
 * @throws EdgeError `metamanager.token-key` when it cannot be read, or when the file is somebody else's and no key at all
 */
export async function readKeyFile(path: string): Promise<FoundKey> {
  let text: string;
  let isPrivate: boolean;
  try {
    await using file = await open(path, 'r');
    const { mode, uid, size } = await file.stat();
    if (size > LONGEST) throw notOurs(path);
    isPrivate = (mode & 0o077) === 0 && (uid === 0 || uid === process.getuid?.());
    text = await file.readFile('utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { state: 'missing' };
    if (errorCode(error) === 'metamanager.token-key') throw error;
    throw metaManagerError('metamanager.token-key', `${path}, the key of stored service account tokens, cannot be read: ${errorText(error)}`, error);
  }
  if (new RegExp(`^${HEADER}[0-9a-f]{64}\n?$`).test(text)) {
    return { state: isPrivate ? 'good' : 'exposed', key: Buffer.from(text.slice(HEADER.length).trim(), 'hex') };
  }
  // A power cut leaves an empty file or zeros; all else that does not begin as a key may be dear to somebody.
  if (!text.startsWith(HEADER) && text.replaceAll('\0', '').trim() !== '') throw notOurs(path);
  return { state: 'damaged' };
}

/**
 * Makes a new key, for its owner alone and on the disk before it is used. The folder has to be there.
 * @throws EdgeError `metamanager.token-key`
 */
export async function makeKeyFile(path: string): Promise<Buffer> {
  const key = randomBytes(32);
  const next = `${path}.new`;
  try {
    {
      await using file = await open(next, 'w', 0o600);
      await file.chmod(0o600);
      await file.writeFile(`${HEADER}${key.toString('hex')}\n`);
      await file.sync();
    }
    await rename(next, path);
    await using folder = await open(dirname(path), 'r');
    await folder.sync();
    return key;
  } catch (error) {
    throw metaManagerError('metamanager.token-key', `${path}, the key of stored service account tokens, cannot be made: ${errorText(error)}`, error);
  }
}

function notOurs(path: string): Error {
  return metaManagerError('metamanager.token-key', `${path} is no key of stored service account tokens and is left alone: move it away, or set edge.metaManager.tokenKeyFile to another path`);
}
