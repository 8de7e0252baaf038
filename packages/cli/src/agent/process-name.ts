import { writeFile } from 'node:fs/promises';
import { errorText, type Logger } from '@edge/core';

/**
 * Calls this process `edgecore`, as the Go agent's is called: `pgrep`, `pkill`, `killall` and keadm's tools look for that name. The
 * command line stays as it is, so `ps` shows what really runs and with which flags.
 */
export async function nameProcess(log: Logger, file = '/proc/self/comm'): Promise<void> {
  try {
    await writeFile(file, 'edgecore');
  } catch (error) {
    log.verbose(1, 'the process keeps the name of its program', { err: errorText(error) });
  }
}
