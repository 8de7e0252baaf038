import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PATIENCE_MS = 2000;

/**
 * Whether the machine is going down or restarting. Asked only when the agent is told to stop. systemd says so itself;
 * OpenRC writes down the run level that it changes to. `/run/nologin` and a planned shutdown are no evidence: both exist
 * minutes before, and an agent that is updated meanwhile must not end pods.
 */
export async function isMachineStopping(): Promise<boolean> {
  return (await systemdState()) === 'stopping' || /^(shutdown|reboot|halt)\s*$/.test(await text('/run/openrc/softlevel'));
}

/** It ends with an error code in every state but `running`, and says the state all the same. */
async function systemdState(): Promise<string> {
  const { stdout } = await run('systemctl', ['is-system-running'], { timeout: PATIENCE_MS, killSignal: 'SIGKILL' }).catch((error: unknown) => error as { stdout?: string });
  return (stdout ?? '').trim();
}

function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
