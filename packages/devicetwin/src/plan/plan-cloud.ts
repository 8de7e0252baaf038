import type { SideRequest, TwinRequest, TwinRequests } from '../decode/requests.js';
import { refusedType } from '../decode/values.js';
import { DEFAULT_TYPE, DELETED, isDeleted, type DeviceState, type Side, type TwinState, type Version } from '../model/device.js';
import type { Change } from '../model/payloads.js';
import { clientTwin } from '../model/wire.js';

/** What comes of twins that the cloud sent. */
export interface CloudPlan {
  readonly next: DeviceState;
  readonly changed: readonly string[];
  readonly document: ReadonlyMap<string, Change>;
  /** Taken from the cloud, so the cloud has them. */
  readonly accepted: readonly string[];
  /** The node's are newer: the cloud hears of them again. */
  readonly rejected: readonly string[];
}

interface Outcome {
  readonly twin: TwinState;
  readonly changed: boolean;
  readonly rejected: boolean;
}

const UNCHANGED: Omit<Outcome, 'twin'> = { changed: false, rejected: false };

/** Plans a message of the cloud: each property for itself; a side whose version is older than the node's is rejected. */
export function planCloudTwins(device: DeviceState, request: TwinRequests, now: number): CloudPlan {
  const twins = new Map(device.twins);
  const document = new Map<string, Change>();
  const changed: string[] = [];
  const accepted: string[] = [];
  const rejected: string[] = [];
  for (const [name, wanted] of request) {
    // The type is mandatory here, deletion has its own; without it upstream crashes.
    if (!wanted?.metadata) continue;
    const stands = device.twins.get(name);
    const outcome = stands === undefined ? planNew(wanted, now) : wanted.metadata.type === DELETED ? planDeletion(stands, wanted) : planUpdate(stands, wanted, now);
    if (outcome === undefined) continue;
    if (outcome.rejected) rejected.push(name);
    if (!outcome.changed) continue;
    twins.set(name, outcome.twin);
    changed.push(name);
    if (!outcome.rejected) accepted.push(name);
    document.set(name, {
      last: stands === undefined || isDeleted(stands) ? null : clientTwin(stands),
      current: isDeleted(outcome.twin) ? null : clientTwin(outcome.twin),
    });
  }
  return { next: changed.length === 0 ? device : { ...device, twins }, changed, document, accepted, rejected };
}

/** Undefined: not added, because it lacks a version or its value is not of its type. */
function planNew(wanted: TwinRequest, now: number): Outcome | undefined {
  const type = wanted.metadata?.type ?? DEFAULT_TYPE;
  const sides = [
    [wanted.expected, wanted.expectedVersion],
    [wanted.actual, wanted.actualVersion],
  ] as const;
  if (sides.some(([side, version]) => side !== undefined && (version === undefined || refused(type, side)))) return undefined;
  const gone = type === DELETED;
  const side = (given: SideRequest | undefined): Side | undefined => (given?.value && !gone ? { value: given.value, timestamp: now } : undefined);
  const twin: TwinState = {
    expected: side(wanted.expected),
    actual: side(wanted.actual),
    expectedVersion: wanted.expected || gone ? wanted.expectedVersion : undefined,
    actualVersion: wanted.actual || gone ? wanted.actualVersion : undefined,
    optional: wanted.optional ?? true,
    type,
    description: '',
    metadata: '{}',
  };
  return { twin, changed: true, rejected: false };
}

function planDeletion(stands: TwinState, wanted: TwinRequest): Outcome {
  if (isDeleted(stands) || (!stands.expectedVersion && !stands.actualVersion)) return { ...UNCHANGED, twin: stands };
  const newer = (own: Version | undefined, theirs: Version | undefined): boolean => own !== undefined && theirs !== undefined && isNewer(own, theirs);
  if (newer(stands.expectedVersion, wanted.expectedVersion) || newer(stands.actualVersion, wanted.actualVersion)) return { twin: stands, changed: false, rejected: true };
  const twin: TwinState = {
    ...stands,
    expected: undefined,
    actual: undefined,
    expectedVersion: stands.expectedVersion && (wanted.expectedVersion ?? stands.expectedVersion),
    actualVersion: stands.actualVersion && (wanted.actualVersion ?? stands.actualVersion),
    type: DELETED,
  };
  return { twin, changed: true, rejected: false };
}

function planUpdate(stands: TwinState, wanted: TwinRequest, now: number): Outcome {
  const revived = isDeleted(stands);
  const type = revived ? (wanted.metadata?.type ?? DEFAULT_TYPE) : stands.type;
  const expected = nextSide(stands.expected, stands.expectedVersion, wanted.expected, wanted.expectedVersion, stands.expected || revived ? type : DEFAULT_TYPE, now);
  // After a rejected expected value nothing else of the property is taken.
  const actual = expected === 'rejected' ? undefined : nextSide(stands.actual, stands.actualVersion, wanted.actual, wanted.actualVersion, type, now);
  const rejected = expected === 'rejected' || actual === 'rejected';
  const taken = (side: typeof expected): Taken | undefined => (side === 'rejected' ? undefined : side);
  const values: TwinState = { ...stands, ...side('expected', taken(expected)), ...side('actual', taken(actual)) };
  if (rejected) return { twin: values, changed: taken(expected) !== undefined, rejected };
  const mandatory = stands.optional && wanted.optional === false;
  const metadata = wanted.metadata && wanted.metadata.type !== stands.type ? '{}' : stands.metadata;
  const changed = taken(expected) !== undefined || taken(actual) !== undefined || mandatory || revived || metadata !== stands.metadata;
  return { twin: { ...values, optional: mandatory ? false : stands.optional, type, metadata }, changed, rejected };
}

interface Taken {
  readonly side: Side;
  readonly version: Version;
}

function side(name: 'expected' | 'actual', taken: Taken | undefined): Partial<TwinState> {
  if (taken === undefined) return {};
  return name === 'expected' ? { expected: taken.side, expectedVersion: taken.version } : { actual: taken.side, actualVersion: taken.version };
}

/** Undefined: the request does not say, or its value is not of the type. */
function nextSide(own: Side | undefined, version: Version | undefined, wanted: SideRequest | undefined, theirs: Version | undefined, type: string, now: number): Taken | 'rejected' | undefined {
  if (wanted?.value === undefined || refused(type, wanted)) return undefined;
  if (theirs === undefined) return 'rejected';
  if (version !== undefined && isNewer(version, theirs)) return 'rejected';
  // The same once more is no change: clouds repeat themselves after a restart.
  if (own?.value === wanted.value && version !== undefined && version.cloud === theirs.cloud && version.edge === theirs.edge) return undefined;
  return { side: { value: wanted.value, timestamp: now }, version: theirs };
}

function isNewer(own: Version, theirs: Version): boolean {
  return own.cloud > theirs.cloud || own.edge > theirs.edge;
}

function refused(type: string, side: SideRequest): boolean {
  return side.value === undefined || (type !== DELETED && refusedType(type, side.value) !== undefined);
}
