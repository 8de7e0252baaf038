import { join } from 'node:path';

/** Bytes that the kernel takes for a socket's path. The agent makes its socket under a name of its own, which is no longer. */
const LONGEST_SOCKET_PATH = 107;

/** For people: the socket in the agent's folder that device mappers call, or why there is none. */
export function mapperSocket(folder: string): string {
  const path = join(folder, 'dmi.sock');
  return Buffer.byteLength(path) <= LONGEST_SOCKET_PATH ? path : `none: ${path} is too long for a socket; give a shorter folder with --data`;
}
