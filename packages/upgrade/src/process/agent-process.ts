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

/** The words that the agent was started with, behind its program. */
export function argumentsOf(pid: number): readonly string[] {
  const words = readProc(pid, 'cmdline').split('\0').slice(0, -1);
  const program = words.findIndex((word) => word.endsWith('.js') || word.endsWith('.mjs'));
  return program < 0 ? [] : words.slice(program + 1);
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
