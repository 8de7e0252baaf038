import { readdir, readFile } from 'node:fs/promises';
import { abortError, EdgeError, withTimeout } from '@edge/core';

export interface RunningProcess {
  readonly pid: number;
  /** The program's short name, as `ps -o comm` shows it. */
  readonly name: string;
}

export type ListProcesses = (signal: AbortSignal) => Promise<readonly RunningProcess[]>;

/** `ps` may be missing (distroless), another one (busybox) or hang on a dead mount; /proc is there anyway. */
const PS_TIME_LIMIT_MS = 3000;

/** All processes of this machine that this one may see: by ps-list, and where that fails from /proc. */
export async function listProcesses(signal: AbortSignal, withPs: () => Promise<readonly RunningProcess[]> = listWithPs): Promise<readonly RunningProcess[]> {
  if (signal.aborted) throw abortError(signal);
  try {
    const slow = (): Error => new EdgeError('envcheck.ps-slow', `ps gave no answer within ${PS_TIME_LIMIT_MS} ms`);
    const processes = await withTimeout(withPs(), PS_TIME_LIMIT_MS, slow, signal);
    // A list without even this process was made by a ps that understands other options.
    if (processes.some(({ pid }) => pid === process.pid)) return processes;
  } catch {
    if (signal.aborted) throw abortError(signal);
  }
  return listFromProc();
}

async function listWithPs(): Promise<readonly RunningProcess[]> {
  const { default: psList } = await import('ps-list');
  return (await psList()).map(({ pid, name }) => ({ pid, name }));
}

/** The same from a proc file system. Processes that end meanwhile are left out. */
export async function listFromProc(root = '/proc'): Promise<readonly RunningProcess[]> {
  const pids = (await readdir(root)).filter((name) => /^\d+$/.test(name));
  const processes = await Promise.all(
    pids.map(async (pid): Promise<readonly RunningProcess[]> => {
      const name = await readFile(`${root}/${pid}/comm`, 'utf8').catch(() => undefined);
      return name === undefined ? [] : [{ pid: Number(pid), name: name.trimEnd() }];
    }),
  );
  return processes.flat();
}
