import { readFileSync } from 'node:fs';
import { INSTALLATION_VARIABLE, type Layout } from '../layout/layout.js';
import { readOptional } from '../disk/files.js';

/**
 * The agent that the launcher of an installation started last, `undefined` when it does not run. The launcher itself, while
 * it waits, is none: only what it becomes has the installation's name in the environment that it was started with.
 */
export async function runningAgent(layout: Layout): Promise<number | undefined> {
  const pid = Number((await readOptional(layout.agentPid))?.trim());
  return Number.isInteger(pid) && pid > 0 && isAgent(pid, layout) ? pid : undefined;
}

/** Whether a process lives; one that has ended and that nobody has asked about does not. */
export function lives(pid: number): boolean {
  const stat = readProc(pid, 'stat');
  return stat !== '' && stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
}

function isAgent(pid: number, layout: Layout): boolean {
  return lives(pid) && readProc(pid, 'environ').split('\0').includes(`${INSTALLATION_VARIABLE}=${layout.root}`);
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
