import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { SMALL_MEMORY_FLAGS } from '@edge/upgrade';

/**
 * Environment for the same end: glibc gives back what V8 took for reading the program only when pieces of that size
 * (32 KiB) come straight from the system. Without it 15 MB stay. Other C libraries ignore it.
 */
export const SMALL_MEMORY_ENV = { MALLOC_MMAP_THRESHOLD_: '32768' } as const;

/** A running agent of `edgecore dev`. */
export interface AgentProcess {
  readonly pid: number;
  /** Exit code and signal, once it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Asks it to stop and waits; after the time, by force. */
  stop(timeoutMs: number): Promise<void>;
}

/** Starts the agent as a process of its own, its log in a file. It ends with this process: it holds the other end of a channel. */
export function startAgentProcess(program: string, args: readonly string[], logPath: string, env: NodeJS.ProcessEnv): AgentProcess {
  const log = openSync(logPath, 'a', 0o600);
  const child: ChildProcess = spawn(process.execPath, [...SMALL_MEMORY_FLAGS, program, ...args], {
    stdio: ['ignore', log, log, 'ipc'],
    // Own process group: Ctrl-C reaches this process, which stops the agent in order.
    detached: true,
    env: { ...SMALL_MEMORY_ENV, ...env },
  });
  closeSync(log);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  return {
    pid: child.pid ?? 0,
    ended,
    stop: async (timeoutMs) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      await ended;
      clearTimeout(timer);
    },
  };
}
