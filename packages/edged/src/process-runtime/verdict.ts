import type { ProcessIdentity } from './process-identity.js';

/** How a container ended. Times in milliseconds since the epoch, 0 for never started. */
export interface Outcome {
  readonly exitCode: number;
  readonly finishedAt: number;
  readonly reason: string;
  readonly message: string;
}

/** What the files and the process table say about a container at one moment. */
export interface Evidence {
  /** `unfinished`: its file was made a moment ago; `torn`: its file will never be completed (the power went). */
  readonly keeper?: ProcessIdentity | 'unfinished' | 'torn';
  readonly keeperAlive: boolean;
  readonly main?: ProcessIdentity;
  /** Must have been looked for after the keeper: a dead keeper and no exit code is final. */
  readonly exit?: { readonly code: number; readonly at: number };
  /** What an agent noted when it saw the end. */
  readonly outcome?: Outcome;
  readonly boot: string;
}

export type Verdict =
  | { readonly state: 'created' }
  /** A keeper is at work but the command does not run yet. Must not be started a second time. */
  | { readonly state: 'starting' }
  | { readonly state: 'running' }
  /** `settled`: an agent has seen the end and what had to be done then is done. */
  | { readonly state: 'exited'; readonly outcome: Outcome; readonly settled: boolean };

const KILLED = 137;

/** Says what state a container is in. Pure. */
export function judge(evidence: Evidence, now: number): Verdict {
  if (evidence.outcome) return { state: 'exited', outcome: evidence.outcome, settled: true };
  if (evidence.exit) return { state: 'exited', outcome: ended(evidence.exit.code, evidence.exit.at), settled: false };
  if (!evidence.keeper) return { state: 'created' };
  if (evidence.keeper === 'unfinished') return { state: 'starting' };
  if (evidence.keeperAlive) return { state: evidence.main ? 'running' : 'starting' };
  const rebooted = evidence.keeper === 'torn' || evidence.keeper.boot !== evidence.boot;
  return {
    state: 'exited',
    settled: false,
    outcome: {
      exitCode: KILLED,
      finishedAt: now,
      reason: rebooted ? 'ContainerStatusUnknown' : 'Error',
      message: rebooted
        ? 'the machine was started anew while the container ran; how its process ended is not known'
        : 'the process and its keeper were killed from outside; 137 is assumed as exit code',
    },
  };
}

function ended(exitCode: number, finishedAt: number): Outcome {
  return { exitCode, finishedAt, reason: exitCode === 0 ? 'Completed' : 'Error', message: '' };
}

/** The end of a container whose command could not be started; code and reason as containerd gives them. */
export function startFailure(message: string, finishedAt: number): Outcome {
  return { exitCode: 128, finishedAt, reason: 'StartError', message };
}
