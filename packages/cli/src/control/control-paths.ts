import { dirname, join } from 'node:path';

/** Where the running agent takes orders: beside its database. */
export function controlSocket(databasePath: string): string {
  return join(dirname(databasePath), 'edgecore.sock');
}

/** Below it each role has a folder with a folder for each version that was fetched for it. */
export function modulesFolder(databasePath: string): string {
  return join(dirname(databasePath), 'modules');
}
