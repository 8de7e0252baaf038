import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { deviceTwinError } from '../../errors.js';
import { fileIdentity } from '../file-identity.js';

/** Group and owner may connect: who reaches the socket speaks for every device. */
const SOCKET_MODE = 0o660;
/** Of the directory, where it has to be made. As upstream. */
const DIRECTORY_MODE = 0o750;
/** The longest path that a unix socket can have on Linux. */
export const LONGEST_PATH_BYTES = 107;
/** Open connections; mappers of upstream make one for each report and close it. */
const MOST_CONNECTIONS = 1024;

/** A socket in the file system that accepts connections. */
export interface ListeningSocket extends AsyncDisposable {
  /** Rejects when the socket stops to accept. */
  readonly failed: Promise<never>;
  /** Whether the path still leads to this socket: `gone` when there is nothing, `taken` when something else is. */
  look(): Promise<'here' | 'gone' | 'taken'>;
}

/**
 * Listens under a name of its own and then takes the path's place, so that at no time a half-made socket is there; what
 * stood at the path is replaced.
 * @throws EdgeError `devicetwin.dmi-socket` naming the path
 */
export async function listenAt(path: string, accept: (socket: Socket) => void): Promise<ListeningSocket> {
  const directory = dirname(path);
  // No longer than the name that it gets.
  const draft = join(directory, `.d${randomBytes(3).toString('hex')}`);
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) {
    throw deviceTwinError('devicetwin.dmi-socket', `the path of the socket for mappers, ${path}, is longer than the ${LONGEST_PATH_BYTES} bytes that a socket's can have; a shorter modules.deviceTwin.dmiSockPath helps`);
  }
  const server = createServer((socket) => accept(socket));
  server.maxConnections = MOST_CONNECTIONS;
  try {
    await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
    await listen(server, draft);
    await chmod(draft, SOCKET_MODE);
    await rename(draft, path);
  } catch (error) {
    server.close();
    await rm(draft, { force: true });
    throw deviceTwinError('devicetwin.dmi-socket', `the socket for mappers ${path} cannot be made`, error);
  }
  const own = await fileIdentity(path);
  const failed = new Promise<never>((_, reject) => {
    server.on('error', (error) => reject(deviceTwinError('devicetwin.dmi-socket', `the socket for mappers ${path} has failed`, error)));
  });
  failed.catch(() => undefined);
  const look = async (): Promise<'here' | 'gone' | 'taken'> => {
    const now = await fileIdentity(path);
    return now === undefined ? 'gone' : now === own ? 'here' : 'taken';
  };
  return {
    failed,
    look,
    [Symbol.asyncDispose]: async () => {
      server.close();
      if ((await look()) === 'here') await rm(path, { force: true });
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
