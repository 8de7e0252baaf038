import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { EdgeCoreConfig } from '@edge/config';

const run = promisify(execFile);

/** The link that the node's own API has its address on, as long as it runs; an agent that was killed leaves it. */
const METASERVER_LINK = 'edge-dummy0';

/** Removes what a killed agent leaves in the kernel. @returns what was removed */
export async function removeMachineParts({ modules }: EdgeCoreConfig): Promise<string[]> {
  const { metaServer } = modules.metaManager;
  if (!metaServer.enable) return [];
  return (await succeeds('ip', 'link', 'delete', METASERVER_LINK)) ? [`link ${METASERVER_LINK}`] : [];
}

/** What is not there, or on a machine without the program, needs no removal. */
async function succeeds(program: string, ...args: readonly string[]): Promise<boolean> {
  return run(program, [...args], { timeout: 10_000 }).then(
    () => true,
    () => false,
  );
}
