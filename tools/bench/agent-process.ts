import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SMALL_MEMORY_ENV } from '../../packages/cli/src/dev/agent-process.js';
import { SMALL_MEMORY_FLAGS } from '../../packages/upgrade/src/layout/launcher.js';
import { figure } from './figure.js';

// The benchmark runs in the workspace's root, the agent as the service runs it: one file, few flags.
export const PROGRAM = resolve('packages/cli/dist-bundle/edgecore.mjs');
const KIB_IN_MB = 1024 / 1e6;

export const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

/** The agent over the configuration in the folder. */
export function startAgent(folder: string, program = PROGRAM): ChildProcess {
  const log = openSync(join(folder, 'agent.log'), 'a');
  const child = spawn(process.execPath, [...SMALL_MEMORY_FLAGS, program, '--config', join(folder, 'edgecore.yaml')], {
    stdio: ['ignore', log, log],
    env: { ...SMALL_MEMORY_ENV, ...process.env, CHECK_EDGECORE_ENVIRONMENT: 'false', NODE_OPTIONS: '' },
  });
  closeSync(log);
  return child;
}

export async function stopAgent(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** Seconds of processor time so far. */
export function cpuSeconds({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

interface Memory {
  readonly resident: number;
  /** Pages that several processes have count in shares. */
  readonly proportional: number;
  readonly private: number;
}

/** Memory in MB (a million bytes), as the kernel counts it. */
export function memory({ pid }: ChildProcess): Memory {
  const sum = (text: string, line: RegExp): number => [...text.matchAll(line)].reduce((total, [, kilobytes]) => total + Number(kilobytes), 0);
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return { resident: sum(rollup, /^Rss:\s+(\d+) kB/gm) * KIB_IN_MB, proportional: sum(rollup, /^Pss:\s+(\d+) kB/gm) * KIB_IN_MB, private: sum(rollup, /^Private_(?:Clean|Dirty):\s+(\d+) kB/gm) * KIB_IN_MB };
}

export function reportMemory(name: string, agent: ChildProcess): void {
  const { resident, private: own } = memory(agent);
  figure(name, resident, 'MB', `${own.toFixed(1)} MB of it private, the rest pages of the node binary and libraries; ${SMALL_MEMORY_FLAGS.join(' ')}`);
}
