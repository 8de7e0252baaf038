import type { Property } from './device.js';

/** What is known of one property of an open device. */
export interface Track {
  property: Property;
  /** When it is read next; milliseconds of `now()`. */
  collectAt: number;
  /** When the value read last is reported and pushed next. */
  reportAt: number;
  /** When the desired value is written, while it differs from the one written last. */
  writeAt: number;
  /** The last value read, as text, and when (Unix milliseconds). */
  latest: { readonly text: string; readonly at: number } | undefined;
  /** The desired value that the device has taken. */
  observed: string;
  /** The desired value that needs no writing: taken since the device was opened, or refused for good. */
  settled: string | undefined;
  /** What was reported last, to tell changes. */
  reported: string | undefined;
  readFailures: number;
  writeFailures: number;
  /** Why the last read or write failed. */
  readError: string | undefined;
  writeError: string | undefined;
}

export function newTrack(property: Property, at: number): Track {
  return {
    property,
    collectAt: at,
    reportAt: at,
    writeAt: at,
    latest: undefined,
    observed: '',
    settled: undefined,
    reported: undefined,
    readFailures: 0,
    writeFailures: 0,
    readError: undefined,
    writeError: undefined,
  };
}

/** Something that is to be done for a property now. */
export type Step = { readonly kind: 'write' | 'read'; readonly track: Track };

/** True when somebody wants the property's value regularly. */
export function isCollected({ reportToCloud, push }: Property): boolean {
  return reportToCloud || push !== undefined;
}

export function needsWriting({ property, settled }: Track): boolean {
  return property.desired !== undefined && property.desired !== settled;
}

/** Pure: what is due, writes first, so that the reads which follow show their effect; the longest overdue of each first. */
export function dueSteps(tracks: Iterable<Track>, at: number): Step[] {
  const writes: Track[] = [];
  const reads: Track[] = [];
  for (const track of tracks) {
    if (needsWriting(track) && track.writeAt <= at) writes.push(track);
    if (isCollected(track.property) && track.collectAt <= at) reads.push(track);
  }
  return [
    ...writes.sort((a, b) => a.writeAt - b.writeAt).map((track) => ({ kind: 'write', track }) as const),
    ...reads.sort((a, b) => a.collectAt - b.collectAt).map((track) => ({ kind: 'read', track }) as const),
  ];
}

/** Pure: when the next step is due; Infinity when none ever is. */
export function nextDue(tracks: Iterable<Track>): number {
  let next = Infinity;
  for (const track of tracks) {
    if (needsWriting(track)) next = Math.min(next, track.writeAt);
    if (isCollected(track.property)) next = Math.min(next, track.collectAt);
  }
  return next;
}

/** The next moment of a cycle that is not over yet; rounds that were missed are not made up for. */
export function nextInCycle(last: number, cycleMs: number, at: number): number {
  return last + cycleMs > at ? last + cycleMs : at + cycleMs;
}
