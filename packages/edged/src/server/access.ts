import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { dirname } from 'node:path';
import { errorCode } from '@edge/core';
import { edgedError } from '../errors.js';
import { ApiFault } from './answer.js';

/** Refuses a request by throwing. */
export type Admit = (request: IncomingMessage, pathname: string) => void;

/** As upstream: who can reach the port may do everything. */
export const admitAll: Admit = () => undefined;

/** Lets through who shows the token as `Authorization: Bearer …`; health checks need none. */
export function admitBearer(token: string): Admit {
  const wanted = digest(`Bearer ${token}`);
  return (request, pathname) => {
    if (/^\/+healthz(\/|$)/.test(pathname)) return;
    const shown = request.headers.authorization;
    // Digests are of one length, and comparing them tells nothing about how much was right.
    if (shown === undefined || !timingSafeEqual(digest(shown), wanted)) {
      throw new ApiFault(401, 'the local kubelet API of this node asks for its token (edge.kubeletApi.auth is token)');
    }
  };
}

/**
 * Reads the token of the local kubelet API; makes one when there is no file yet. Who may read the file may enter every
 * container, so it must be its owner's alone.
 * @throws EdgeError `edged.api-token`
 */
export async function apiToken(path: string): Promise<string> {
  await makeToken(path);
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw edgedError('edged.api-token', `edge.kubeletApi.tokenFile ${path} can be read by others than its owner: chmod 600 ${path}, and replace its content`);
  }
  const token = (await readFile(path, 'utf8')).trim();
  if (token.length < 16) throw edgedError('edged.api-token', `edge.kubeletApi.tokenFile ${path} holds no token of at least 16 characters: remove it and one is made`);
  return token;
}

async function makeToken(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  try {
    await using file = await open(path, 'wx', 0o600);
    await file.writeFile(`${randomBytes(32).toString('base64url')}\n`);
    await file.sync();
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw edgedError('edged.api-token', `edge.kubeletApi.tokenFile ${path} cannot be made`, error);
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
