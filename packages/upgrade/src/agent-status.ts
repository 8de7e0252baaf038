import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { isAbort, sleep } from '@edge/core';
import type { AgentStatus } from './change/judge.js';
import { readOptional } from './disk/files.js';
import type { Layout } from './layout/layout.js';
import { isAlive } from './process/process-mark.js';

/** While a version is on trial somebody waits; else the file is for people, and flash memory wears. */
const TRIAL_MS = 250;
const QUIET_MS = 10_000;
/** How often it looks whether a trial has begun: whoever begins one ends this agent first, and the next one looks at once. */
const LOOK_MS = 1_000;

/** Waits as long as an upgrade wants the agent not to run. To be asked before the database is opened. */
export async function untilReleased(layout: Layout, signal: AbortSignal): Promise<void> {
  while (isAlive(await readOptional(layout.hold))) await sleep(200, signal);
}

/** Says in a file of the installation how the agent is: what a version on trial is judged by. */
export class StatusFile {
  readonly #deps: { readonly layout: Layout; readonly version: string; readonly look: () => Promise<Omit<AgentStatus, 'pid' | 'version'>> };
  #written = '';

  /** @param deps look: how the agent is now */
  constructor(deps: { readonly layout: Layout; readonly version: string; readonly look: () => Promise<Omit<AgentStatus, 'pid' | 'version'>> }) {
    this.#deps = deps;
  }

  /** Keeps the file true until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const isOnTrial = (): boolean => existsSync(this.#deps.layout.journal);
    try {
      while (!signal.aborted) {
        await this.#write();
        if (isOnTrial()) await sleep(TRIAL_MS, signal);
        else for (let waited = 0; waited < QUIET_MS && !isOnTrial(); waited += LOOK_MS) await sleep(LOOK_MS, signal);
      }
    } catch (error) {
      if (!isAbort(error)) throw error;
    }
  }

  async #write(): Promise<void> {
    const { layout, version, look } = this.#deps;
    const text = JSON.stringify({ pid: process.pid, version, ...(await look()) } satisfies AgentStatus);
    if (text === this.#written) return;
    const next = `${layout.status}.${process.pid}`;
    try {
      await writeFile(next, text, { mode: 0o644 });
      await rename(next, layout.status);
      this.#written = text;
    } catch {
      // A full disk must not end the agent; it is tried again, and a version on trial that cannot say how it is goes back.
    }
  }
}
