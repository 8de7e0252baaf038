import { NO_PAUSE, type Pause } from './pauses.js';

export type Subject = 'twin' | 'state';

/** What the node has to say to the cloud about one device's twin, or its state: one message at a time. */
export interface Line {
  readonly key: string;
  readonly deviceId: string;
  readonly subject: Subject;
  /** When the oldest thing to say came up, Unix milliseconds. */
  since: number;
  /** Something came up after the last message. */
  fresh: boolean;
  inFlight: boolean;
  /** Unanswered messages in a row. */
  silences: number;
  pause: Pause;
  /** How often each property was told without a confirmation. */
  readonly sends: Map<string, number>;
  /** Properties to mention though their versions stand. */
  readonly touched: Set<string>;
  /** The state as it was published; the cloud gets the same bytes. */
  stateText: string | undefined;
}

export function lineKey(deviceId: string, subject: Subject): string {
  return `${subject} ${deviceId}`;
}

export function newLine(deviceId: string, subject: Subject, since: number): Line {
  return {
    key: lineKey(deviceId, subject),
    deviceId,
    subject,
    since,
    fresh: false,
    inFlight: false,
    silences: 0,
    pause: NO_PAUSE,
    sends: new Map(),
    touched: new Set(),
    stateText: undefined,
  };
}

/** When the line may speak. */
export function dueAt(line: Line): number {
  return line.fresh ? Math.min(line.pause.fresh, line.pause.same) : line.pause.same;
}

/** The line that speaks next: of those that may, the one with the oldest news. Undefined, and when to look again (Infinity: not by time), when none may. */
export function nextLine(lines: Iterable<Line>, now: number): { readonly line: Line | undefined; readonly lookAgain: number } {
  let line: Line | undefined;
  let lookAgain = Infinity;
  for (const candidate of lines) {
    if (candidate.inFlight) continue;
    const due = dueAt(candidate);
    if (due > now) lookAgain = Math.min(lookAgain, due);
    else if (line === undefined || candidate.since < line.since) line = candidate;
  }
  return { line, lookAgain };
}
