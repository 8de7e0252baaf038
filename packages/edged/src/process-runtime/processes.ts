import { spawn } from 'node:child_process';
import { sleep } from '@edge/core';
import type { Known } from './evidence.js';
import type { Pause } from './log-pump.js';
import type { ProcessIdentity } from './process-identity.js';
import type { Belonging, ProcessTable } from './process-table.js';
import { sendSignal } from './process-table.js';

const NEVER = new AbortController().signal;

/** Kills everything of a container but its keeper, again until nothing new turned up. */
export async function killMembers(table: ProcessTable, container: Belonging): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    const pids = await table.members(container);
    if (pids.length === 0) return;
    for (const pid of pids) sendSignal(pid, 'SIGKILL');
    await sleep(Math.min(100, 5 * 2 ** round), NEVER);
  }
}

/** Waits until a process is gone; false when it is still there after the time. */
export async function gone(table: ProcessTable, process: ProcessIdentity, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  for (let pause = 2; await table.alive(process); pause = Math.min(pause * 2, 100)) {
    if (Date.now() > deadline) return false;
    await sleep(pause, NEVER);
  }
  return true;
}

/** After its main process has ended, the keeper needs a moment to write that down. */
export const KEEPER_ENDS_WITHIN_MS = 3_000;

/** Kills the main process, so that its keeper sees how it ended; if that does not help, kills the keeper too. Returns when it is gone. */
export async function endByForce(table: ProcessTable, { keeper, main }: Known): Promise<void> {
  if (!keeper || !(await table.alive(keeper))) return;
  if (main && (await table.alive(main))) sendSignal(main.pid, 'SIGKILL');
  // A stopped keeper sees nothing.
  sendSignal(-keeper.pid, 'SIGCONT');
  if (main && (await gone(table, keeper, KEEPER_ENDS_WITHIN_MS))) return;
  sendSignal(-keeper.pid, 'SIGKILL');
  await gone(table, keeper, KEEPER_ENDS_WITHIN_MS);
}

/** All must be at rest within this time, else they run on. */
const REST_WITHIN_MS = 500;
/** If the agent is killed during a pause, the pod runs on after this time. */
const GUARD_SECONDS = 5;

/**
 * Stops the processes of a container with SIGSTOP, its keeper included, and waits until they really rest.
 * Undefined when that did not succeed; they run on then.
 */
export async function pauseMembers(table: ProcessTable, container: Belonging): Promise<Pause | undefined> {
  const group = container.keeper.pid;
  const guard = spawn('/bin/sh', ['-c', `sleep ${GUARD_SECONDS}; kill -CONT "-$1"`, 'edge-guard', String(group)], { detached: true, stdio: 'ignore' });
  guard.once('error', () => undefined);
  guard.unref();
  let pids: readonly number[] = [];
  const release = (): void => {
    sendSignal(-group, 'SIGCONT');
    for (const pid of pids) sendSignal(pid, 'SIGCONT');
    if (guard.pid !== undefined) sendSignal(-guard.pid, 'SIGKILL');
  };
  const deadline = Date.now() + REST_WITHIN_MS;
  do {
    sendSignal(-group, 'SIGSTOP');
    pids = await table.members(container);
    for (const pid of pids) sendSignal(pid, 'SIGSTOP');
    await sleep(2, NEVER);
    if (table.allStopped(pids)) {
      // Who was born while the others were being stopped shows up in a second look.
      const after = await table.members(container);
      if (after.every((pid) => pids.includes(pid))) return { holds: () => table.allStopped(after), release };
    }
  } while (Date.now() < deadline);
  release();
  return undefined;
}
