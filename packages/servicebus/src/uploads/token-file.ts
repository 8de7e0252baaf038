import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '@edge/core';
import { serviceBusError } from '../errors.js';

/** Whether an `Authorization` header shows the token. */
export type ShowsToken = (authorization: string | undefined) => boolean;

/**
 * Reads the token that programs on this node have to show; makes one when there is no file yet.
 * @throws EdgeError `servicebus.token`
 */
export async function openTokenFile(path: string): Promise<ShowsToken> {
  await make(path);
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) throw tokenError(path, `can be read by others than its owner: chmod 600 ${path}, and replace its content`);
  const token = (await readFile(path, 'utf8')).trim();
  if (token.length < 16) throw tokenError(path, 'holds no token of at least 16 characters: remove it and one is made');
  const wanted = digest(`Bearer ${token}`);
  // Digests are of one length, and comparing them tells nothing about how much was right.
  return (authorization) => authorization !== undefined && timingSafeEqual(digest(authorization), wanted);
}

async function make(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await using file = await open(path, 'wx', 0o600);
    await file.writeFile(`${randomBytes(32).toString('base64url')}\n`);
    await file.sync();
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw tokenError(path, 'cannot be made', error);
  }
}

function tokenError(path: string, what: string, cause?: unknown): Error {
  return serviceBusError('servicebus.token', `edge.serviceBus.tokenFile ${path} ${what}`, cause);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
