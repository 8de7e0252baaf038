import { setTimeout as pause } from 'node:timers/promises';
import { readJson, readOptional } from '../disk/files.js';
import type { Layout } from '../layout/layout.js';
import { runningAgent } from '../process/agent-process.js';
import { isReady, type AgentStatus, type Limits, type Seen, type Verdict } from './judge.js';

/** Between looks at the agent. */
const LOOK_MS = 200;

/** Watches the agent until it is clear whether it works. */
export async function watchAgent(layout: Layout, limits: Limits, judge: (seen: Seen, limits: Limits) => Verdict): Promise<Exclude<Verdict, { verdict: 'wait' }>> {
  const startedAt = performance.now();
  let readySince: number | undefined;
  let readyPid: number | undefined;
  for (;;) {
    const [pid, status, starts] = await Promise.all([runningAgent(layout), readJson(layout.status), readOptional(layout.starts)]);
    const now = performance.now();
    const seen = { elapsedMs: now - startedAt, starts: starts?.split('\n').filter(Boolean).length ?? 0, pid, status: status as AgentStatus | undefined };
    if (!isReady(seen, limits)) readySince = undefined;
    else if (readySince === undefined || readyPid !== pid) [readySince, readyPid] = [now, pid];
    const verdict = judge({ ...seen, readyMs: readySince === undefined ? 0 : now - readySince }, limits);
    if (verdict.verdict !== 'wait') return verdict;
    await pause(LOOK_MS);
  }
}
