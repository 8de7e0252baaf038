import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity, ProcessStat } from './process-identity.js';
import { parseStat } from './process-identity.js';

/** The processes that belong to one container. */
export interface Belonging {
  /** Pid of the keeper: its process group and its session. */
  readonly keeper: ProcessIdentity;
  /** `EDGE_ROOT=<directory>`: marks those that left group and session. */
  readonly mark: string;
}

/** Questions about the processes of this machine. */
export interface ProcessTable {
  /** Id of this boot; empty where the system has none. */
  readonly boot: string;
  /** True when this very process, not a later one of the same pid, is there and not dead. */
  alive(identity: ProcessIdentity): Promise<boolean>;
  /** Pids of the container's processes, the keeper left out. */
  members(container: Belonging): Promise<number[]>;
  /** True when no thread of these processes can run on by itself. Does not wait: it must hold at the time of the answer. */
  allStopped(pids: readonly number[]): boolean;
}

const DEAD = new Set(['Z', 'X', 'x']);
const STOPPED = new Set(['T', 't', ...DEAD]);

/** A table that reads `/proc`, or asks `ps` where there is none. */
export async function openProcessTable(proc = '/proc'): Promise<ProcessTable> {
  const boot = await readFile(join(proc, 'sys/kernel/random/boot_id'), 'utf8').catch(() => '');
  return boot === '' ? psTable() : procTable(proc, boot.trim());
}

function procTable(proc: string, boot: string): ProcessTable {
  const stat = async (pid: number): Promise<ProcessStat | undefined> => {
    const line = await readFile(join(proc, String(pid), 'stat'), 'utf8').catch(() => undefined);
    const parsed = line === undefined ? undefined : parseStat(line);
    return parsed && !DEAD.has(parsed.state) ? parsed : undefined;
  };

  const isMember = async (pid: number, container: Belonging, hasSession: boolean): Promise<boolean> => {
    const found = await stat(pid);
    // What is older than the keeper cannot be of its container; this spares reading most environments.
    if (!found || Number(found.start) < Number(container.keeper.start)) return false;
    if (hasSession && (found.group === container.keeper.pid || found.session === container.keeper.pid)) return true;
    const environment = await readFile(join(proc, String(pid), 'environ'), 'utf8').catch(() => '');
    return environment.split('\0').includes(container.mark);
  };

  return {
    boot,
    async alive(identity) {
      return identity.boot === boot && (await stat(identity.pid))?.start === identity.start;
    },
    async members(container) {
      // The system gives a pid away again only when no session and no group has its number any more.
      const leader = await stat(container.keeper.pid);
      const hasSession = leader === undefined || leader.start === container.keeper.start;
      const names = await readdir(proc);
      const pids = names.filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => pid !== container.keeper.pid && pid !== process.pid);
      const belongs = await Promise.all(pids.map((pid) => isMember(pid, container, hasSession)));
      return pids.filter((_, index) => belongs[index]);
    },
    allStopped(pids) {
      return pids.every((pid) => threadsStopped(join(proc, String(pid), 'task')));
    },
  };
}

function threadsStopped(tasks: string): boolean {
  try {
    return readdirSync(tasks).every((thread) => {
      const found = parseStat(readFileSync(join(tasks, thread, 'stat'), 'utf8'));
      return found !== undefined && STOPPED.has(found.state);
    });
  } catch (error) {
    // A process that ended meanwhile does not run either.
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return true;
    throw error;
  }
}

/** Without `/proc` only the process group tells who belongs to a container. */
function psTable(): ProcessTable {
  return {
    boot: '',
    async alive(identity) {
      const [line] = await ps(['-o', 'stat=,lstart=', '-p', String(identity.pid)]);
      const [, state, start] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line ?? '') ?? [];
      return state !== undefined && !DEAD.has(state.charAt(0)) && start === identity.start;
    },
    async members({ keeper }) {
      const group: number[] = [];
      for (const line of await ps(['-A', '-o', 'pid=,pgid=,stat=,lstart='])) {
        const [, pid, inGroup, state = 'Z', start] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
        if (Number(inGroup) !== keeper.pid || DEAD.has(state.charAt(0))) continue;
        if (Number(pid) !== keeper.pid) group.push(Number(pid));
        // The number is that of a later group.
        else if (start !== keeper.start) return [];
      }
      return group;
    },
    // There is no exact answer here, and a wrong yes would lose output.
    allStopped: (pids) => pids.length === 0,
  };
}

function ps(args: readonly string[]): Promise<string[]> {
  return new Promise((resolve) => {
    // ps ends with an error when it finds nobody; that is an answer.
    execFile('ps', [...args], { env: { ...process.env, LC_ALL: 'C' } }, (_, stdout) => resolve(stdout.split('\n').filter((line) => line.trim() !== '')));
  });
}

/** Sends a signal; false when there is no such process (any more). A negative pid is a process group. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
