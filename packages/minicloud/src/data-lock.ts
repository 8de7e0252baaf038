import { createHash } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode } from '@edge/core';
import { minicloudError, MinicloudErrors } from './errors.js';

/** Names of unix sockets end here on every system. */
const LONGEST_PATH = 100;

/**
 * Holds a data folder for one cloud side at a time. The lock is an open socket, so it ends with the process however
 * that ends, and what a dead process left is recognised.
 * @throws EdgeError `minicloud.data-in-use`
 */
export async function lockData(dataDir: string): Promise<AsyncDisposable> {
  const path = await lockPath(dataDir);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const server = await tryListen(path);
    if (server) return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
    if (await isAnswered(path)) break;
    await rm(path, { force: true });
  }
  throw minicloudError(MinicloudErrors.dataInUse, `the folder ${dataDir} is in use by another cloud side: stop it, or choose another folder`);
}

async function lockPath(dataDir: string): Promise<string> {
  const folder = await realpath(dataDir);
  const path = join(folder, 'lock');
  if (path.length <= LONGEST_PATH) return path;
  return join(tmpdir(), `minicloud-${createHash('sha256').update(folder).digest('hex').slice(0, 24)}.lock`);
}

/** The lock's server, undefined when the path is taken. */
function tryListen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error) => (errorCode(error) === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
