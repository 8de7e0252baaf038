import { readdirSync, readFileSync } from 'node:fs';

/** What a process holds: descriptors, resident memory in MiB. */
export interface Footprint {
  readonly handles: number;
  readonly memory: number;
}

/** Of a process that runs. */
export function footprint(pid: number): Footprint {
  return { handles: readdirSync(`/proc/${pid}/fd`).length, memory: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024 };
}

/** The processes that it has started and that still run. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter((word) => word !== '').map(Number);
}

/** How many processes have the text in their command line, kubectl's own left out. */
export function countInside(text: string): number {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && fits(commandLine(name), text)).length;
}

function fits(words: string, text: string): boolean {
  return words.includes(text) && !words.includes('kubectl');
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').join(' ').trim();
  } catch {
    return '';
  }
}
