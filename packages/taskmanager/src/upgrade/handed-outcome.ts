import type { InstallationReport } from '../installation.js';

/** What was handed over to a process outside of the agent. */
export type HandedAction = 'Upgrade' | 'RollBack' | 'Update';

export interface HandedFacts {
  readonly action: HandedAction;
  /** Version that ran when it was handed over. */
  readonly from: string;
  /** Version that was ordered; undefined where the order names none. */
  readonly wanted: string | undefined;
  /** Version that runs now. */
  readonly running: string;
  readonly report: InstallationReport | undefined;
  /** Somebody is still at it. */
  readonly busy: boolean;
  readonly waitedMs: number;
  /** After which nothing more is expected of somebody who is at it. */
  readonly limitMs: number;
}

/** A report may come a moment after who wrote it is done. */
const GRACE_MS = 3_000;

/** How an action came out. */
export interface HandedResult {
  readonly kind: 'done';
  readonly succeeded: boolean;
  readonly reason: string;
  readonly from: string;
  readonly to: string;
  /** The report tells of something that comes later in the flow and stays for it. */
  readonly keepReport: boolean;
}

export type HandedOutcome = { readonly kind: 'wait' } | HandedResult;

const EVENT_OF = { Upgrade: 'Upgrade', RollBack: 'Rollback', Update: 'ConfigUpdate' } as const;

/** Decides what came of an action that was handed over: by its report, and without one by the version that runs. */
export function handedOutcome({ action, from, wanted, running, report, busy, waitedMs, limitMs }: HandedFacts): HandedOutcome {
  if (report?.event === EVENT_OF[action]) {
    const { success, fromVersion, toVersion, errorMessage = '' } = report;
    const reason = success ? '' : errorMessage || 'it failed, and nobody said why';
    return { kind: 'done', succeeded: success, reason, from: fromVersion || from, to: toVersion || (wanted ?? running), keepReport: false };
  }
  // The new version was given up, and what is reported is the way back.
  if (action === 'Upgrade' && report?.event === 'Rollback') {
    const reason = report.errorMessage || `version ${wanted ?? ''} was given up`;
    return { kind: 'done', succeeded: false, reason, from, to: wanted ?? '', keepReport: true };
  }
  if (waitedMs < (busy ? limitMs : Math.min(limitMs, GRACE_MS))) return { kind: 'wait' };
  return silent(action, from, wanted, running, busy ? `it is not done after ${Math.round(limitMs / 1000)} s` : 'nobody says what came of it');
}

/** Nobody says what came of it: power may have failed before it was begun. */
function silent(action: HandedAction, from: string, wanted: string | undefined, running: string, nothing: string): HandedResult {
  const target = action === 'RollBack' ? (wanted ?? '') : (wanted ?? running);
  const succeeded = action !== 'Update' && target !== '' && running === target && running !== from;
  return { kind: 'done', succeeded, reason: succeeded ? '' : `${nothing}; the node runs ${running}`, from, to: target || running, keepReport: false };
}
