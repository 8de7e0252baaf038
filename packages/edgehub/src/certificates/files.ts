import { constants } from 'node:fs';
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '@edge/core';
import type { EdgeHubConfig } from '../config.js';
import { createPair, type NodePair } from './pair.js';

/** Where the three files lie: upstream's paths. */
export type CertificatePaths = Pick<EdgeHubConfig, 'tlsCaFile' | 'tlsCertFile' | 'tlsPrivateKeyFile'>;

/** Suffix of a file that is complete but has not taken its place yet. */
const NEXT = '.next';

/**
 * Reads what is there. Undefined when one of the files is missing.
 * @throws EdgeError `edgehub.bad-certificate` when they do not fit
 */
export async function readPair(paths: CertificatePaths, node: string): Promise<NodePair | undefined> {
  const [ca, certificate, privateKey] = await Promise.all([paths.tlsCaFile, paths.tlsCertFile, paths.tlsPrivateKeyFile].map(read));
  if (ca === undefined || certificate === undefined || privateKey === undefined) return undefined;
  try {
    return createPair({ ca, certificate, privateKey }, node);
  } catch (error) {
    // The process may have died between the two renames of `writePair`: then the other half still waits.
    const nextKey = await read(paths.tlsPrivateKeyFile + NEXT);
    if (nextKey === undefined) throw error;
    const pair = createPair({ ca, certificate, privateKey: nextKey }, node);
    await rename(paths.tlsPrivateKeyFile + NEXT, paths.tlsPrivateKeyFile);
    return pair;
  }
}

/** Writes all three so that at each moment either the old or the new ones can be read. Key: mode 0600, folders: 0700. */
export async function writePair(paths: CertificatePaths, pair: NodePair): Promise<void> {
  await writeNext(paths.tlsCaFile, pair.ca, 0o644);
  await writeNext(paths.tlsPrivateKeyFile, pair.privateKey, 0o600);
  await writeNext(paths.tlsCertFile, pair.certificate, 0o644);
  await rename(paths.tlsCaFile + NEXT, paths.tlsCaFile);
  await rename(paths.tlsCertFile + NEXT, paths.tlsCertFile);
  await rename(paths.tlsPrivateKeyFile + NEXT, paths.tlsPrivateKeyFile);
  for (const folder of new Set([paths.tlsCaFile, paths.tlsCertFile, paths.tlsPrivateKeyFile].map((path) => dirname(path)))) await sync(folder);
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeNext(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path + NEXT, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  // A file left over from before keeps its old mode when opened.
  await chmod(path + NEXT, mode);
}

async function sync(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
