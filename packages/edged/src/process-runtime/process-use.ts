import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the processes of a container use together. */
export interface ProcessUse {
  /** Processor time, that of children which have ended included. */
  readonly cpuNanoseconds: number;
  /** Memory, of what is shared each one's part. */
  readonly memoryBytes: number;
}

/** The unit of `/proc/<pid>/stat`: the kernel shows hundredths of a second on all machines that Node.js runs on. */
const NANOSECONDS_A_TICK = 1e7;
/** Places of utime, stime, cutime and cstime behind the name in brackets. */
const TIMES = { from: 11, to: 15 } as const;

/**
 * Measures processes by `/proc`; one that ends meanwhile counts for nothing.
 * @param keeper whose children's time is the container's; its memory is not
 */
export async function readProcessUse(keeper: number, pids: readonly number[], proc = '/proc'): Promise<ProcessUse> {
  const times = await Promise.all([keeper, ...pids].map((pid) => timeOf(join(proc, String(pid)))));
  const memory = await Promise.all(pids.map((pid) => memoryOf(join(proc, String(pid)))));
  return { cpuNanoseconds: total(times), memoryBytes: total(memory) };
}

async function timeOf(folder: string): Promise<number> {
  const line = await readFile(join(folder, 'stat'), 'utf8').catch(() => '');
  // The name may hold spaces and brackets, so fields count from the last bracket.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ').slice(TIMES.from, TIMES.to);
  return total(fields.map(Number)) * NANOSECONDS_A_TICK;
}

async function memoryOf(folder: string): Promise<number> {
  // Another user's rollup cannot be read; the resident size can.
  const text = await readFile(join(folder, 'smaps_rollup'), 'utf8').catch(() => readFile(join(folder, 'status'), 'utf8').catch(() => ''));
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? /^VmRSS:\s+(\d+) kB/m.exec(text)?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
