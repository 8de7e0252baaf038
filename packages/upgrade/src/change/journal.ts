import { removeFile, readJson, replaceFile } from '../disk/files.js';
import type { Layout } from '../layout/layout.js';

/** What a change has behind it; each is on the disk before the step after it begins. */
export const PHASES = [
  /** Handed over; nothing is touched yet. */
  'begun',
  /** The agent is stopped. */
  'stopped',
  /** Database and configuration are copied. */
  'copied',
  /** What is new is in its place. */
  'switched',
  /** What is new has shown that it works. */
  'proven',
  /** It is to be taken back. */
  'returning',
  /** The agent is stopped for that. */
  'stopped-again',
  /** What was before is in its place again. */
  'back',
  /** What was before does not start with the data as they are now. */
  'unstartable',
  /** The copies of the data are in their place. */
  'restored',
  /** What was before runs. */
  'returned',
] as const;

export type Phase = (typeof PHASES)[number];

/** A change of the installation: all that a process needs that takes it up after the one before has died. */
export interface Journal {
  readonly id: string;
  readonly event: 'Upgrade' | 'Rollback' | 'ConfigUpdate';
  /** Names of versions; the same for a change of the configuration. */
  readonly from: string;
  readonly to: string;
  /** The version that was the one from before when the change began. */
  readonly before?: string;
  readonly phase: Phase;
  /** How many processes have begun to carry it out. */
  readonly attempts: number;
  readonly readyTimeoutSeconds: number;
  /** Seconds without a break for which it has to be Ready. */
  readonly settleSeconds: number;
  /** The link to the cloud was up before, so it has to be up again. */
  readonly needsLink: boolean;
  /** What the agent waited for before the change: a version is not held to more than the one before did. */
  readonly tolerated: readonly string[];
  readonly databasePath: string;
  /** Why it is taken back. */
  readonly reason?: string;
}

/** A change that came to its end. */
export interface Finished extends Journal {
  readonly success: boolean;
}

/** The change that is under way. What a disk that failed made of the file counts as none. */
export async function readJournal(layout: Layout): Promise<Journal | undefined> {
  const value = (await readJson(layout.journal)) as Journal | undefined;
  return value !== undefined && PHASES.includes(value.phase) && typeof value.from === 'string' && typeof value.to === 'string' ? value : undefined;
}

export async function writeJournal(layout: Layout, journal: Journal): Promise<void> {
  await replaceFile(layout.journal, `${JSON.stringify(journal)}\n`);
}

/** Notes how a change ended; from then on there is none. */
export async function closeJournal(layout: Layout, finished: Finished): Promise<void> {
  await replaceFile(layout.last, `${JSON.stringify(finished)}\n`);
  await removeFile(layout.journal);
}

/** The last change that came to its end. */
export async function readLast(layout: Layout): Promise<Finished | undefined> {
  return (await readJson(layout.last)) as Finished | undefined;
}
