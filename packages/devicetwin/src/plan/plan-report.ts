import { isRefusal, type Refusal, type SideRequest, type TwinRequest, type TwinRequests } from '../decode/requests.js';
import { Reasons, refusedType } from '../decode/values.js';
import { DEFAULT_TYPE, DELETED, isDeleted, type DeviceState, type Side, type TwinState, type Version } from '../model/device.js';
import type { Change } from '../model/payloads.js';
import { clientTwin, wireType, type WireTwin } from '../model/wire.js';

export interface ReportOptions {
  /** Unix milliseconds; the node's time is the one that counts. */
  readonly now: number;
  /** See `DeviceTwinConfig.skipUnchanged`. */
  readonly skipUnchanged: boolean;
}

/** What comes of a report. */
export interface ReportPlan {
  /** The very same device when nothing changes. */
  readonly next: DeviceState;
  /** Names of the properties whose rows change. */
  readonly changed: readonly string[];
  /** Changed in ways that no version tells: the cloud hears of them, but nothing is kept for that. */
  readonly touched: readonly string[];
  readonly result: ReadonlyMap<string, WireTwin | null>;
  readonly document: ReadonlyMap<string, Change>;
}

/** More properties than any device has; a client must not fill memory with names. */
export const MAX_PROPERTIES = 10_000;

interface Outcome {
  readonly twin: TwinState;
  readonly result: WireTwin | null | undefined;
  readonly changed: boolean;
  readonly touched: boolean;
}

/**
 * Plans a report of a client or a mapper: all of it or, on the first thing that is not right, nothing. Null for a property
 * that nobody knows is mentioned in the document and does no harm to the others.
 */
export function planReport(device: DeviceState, request: TwinRequests, options: ReportOptions): ReportPlan | Refusal {
  const twins = new Map(device.twins);
  const plan = { changed: [] as string[], touched: [] as string[], result: new Map<string, WireTwin | null>(), document: new Map<string, Change>() };
  for (const [name, wanted] of request) {
    const stands = device.twins.get(name);
    if (stands === undefined && wanted === null) {
      plan.document.set(name, { last: null, current: null });
      continue;
    }
    const outcome = wanted === null ? planDeletion(stands as TwinState) : stands === undefined ? planNew(name, wanted, options) : planUpdate(name, stands, wanted, options);
    if (outcome === undefined) continue;
    if (isRefusal(outcome)) return outcome;
    if (outcome.result !== undefined) plan.result.set(name, outcome.result);
    if (!outcome.changed) continue;
    twins.set(name, outcome.twin);
    if (twins.size > MAX_PROPERTIES) return { code: 400, reason: `a device has at most ${MAX_PROPERTIES} properties, ${name} would be one more` };
    plan.changed.push(name);
    if (outcome.touched) plan.touched.push(name);
    plan.document.set(name, {
      last: stands === undefined || isDeleted(stands) ? null : clientTwin(stands),
      current: isDeleted(outcome.twin) ? null : clientTwin(outcome.twin),
    });
  }
  return { ...plan, next: plan.changed.length === 0 ? device : { ...device, twins } };
}

/** Undefined: nothing to delete. */
function planDeletion(stands: TwinState): Outcome | undefined {
  if (!stands.optional || isDeleted(stands) || (!stands.expectedVersion && !stands.actualVersion)) return undefined;
  const twin: TwinState = {
    ...stands,
    expected: undefined,
    actual: undefined,
    expectedVersion: stands.expectedVersion && bumped(stands.expectedVersion),
    actualVersion: stands.actualVersion && bumped(stands.actualVersion),
    type: DELETED,
  };
  return { twin, result: null, changed: true, touched: false };
}

function planNew(name: string, wanted: TwinRequest, options: ReportOptions): Outcome | Refusal {
  const type = wanted.metadata?.type ?? DEFAULT_TYPE;
  const refusal = refusedTypeName(type) ?? refusedSide(name, 'expected', wanted.expected, type) ?? refusedSide(name, 'actual', wanted.actual, type);
  if (refusal) return refusal;
  const first = { cloud: 0, edge: 1 };
  const twin: TwinState = {
    // The empty text is no value in a new row, as upstream reads it back.
    expected: wanted.expected?.value ? { value: wanted.expected.value, timestamp: options.now } : undefined,
    actual: wanted.actual?.value ? { value: wanted.actual.value, timestamp: options.now } : undefined,
    expectedVersion: wanted.expected && first,
    actualVersion: wanted.actual && first,
    optional: wanted.optional ?? true,
    type,
    description: '',
    metadata: wanted.metadata ? '{}' : '',
  };
  return { twin, result: clientTwin(twin), changed: true, touched: !wanted.expected && !wanted.actual };
}

function planUpdate(name: string, stands: TwinState, wanted: TwinRequest, options: ReportOptions): Outcome | Refusal {
  const revived = isDeleted(stands);
  const type = revived ? (wanted.metadata?.type ?? DEFAULT_TYPE) : stands.type;
  // An expected value where there was none is taken as it is, as upstream; a revived property gets its type anew.
  const checked = stands.expected !== undefined || revived;
  const refusal =
    (revived ? refusedTypeName(type) : undefined) ??
    refusedSide(name, 'expected', wanted.expected, checked ? type : DEFAULT_TYPE) ??
    refusedSide(name, 'actual', wanted.actual, type);
  if (refusal) return refusal;
  const skip = options.skipUnchanged && !revived;
  const expected = nextSide(stands.expected, stands.expectedVersion, wanted.expected, skip, options.now);
  const actual = nextSide(stands.actual, stands.actualVersion, wanted.actual, skip, options.now);
  const mandatory = stands.optional && wanted.optional === false;
  const metadata = wanted.metadata && wanted.metadata.type !== stands.type ? '{}' : stands.metadata;
  const twin: TwinState = {
    ...stands,
    expected: expected.side,
    expectedVersion: expected.version,
    actual: actual.side,
    actualVersion: actual.version,
    optional: mandatory ? false : stands.optional,
    type,
    metadata,
  };
  const versioned = expected.changed || actual.changed;
  const told = mandatory || revived || metadata !== stands.metadata;
  return { twin, result: resultOf(twin, stands, wanted, mandatory), changed: versioned || told, touched: told && !versioned };
}

/** Only what the request was about; undefined when it said nothing new. */
function resultOf(twin: TwinState, stands: TwinState, wanted: TwinRequest, mandatory: boolean): WireTwin | undefined {
  const shown = { expected: wanted.expected !== undefined, actual: wanted.actual !== undefined };
  if (shown.expected || shown.actual) return clientTwin(twin, shown);
  if (isDeleted(stands)) return { ...(mandatory ? { optional: false } : {}), metadata: wireType(twin.type) };
  if (mandatory) return { optional: false };
  return wanted.metadata && wanted.metadata.type !== stands.type ? {} : undefined;
}

function nextSide(
  side: Side | undefined,
  version: Version | undefined,
  wanted: SideRequest | undefined,
  skipUnchanged: boolean,
  now: number,
): { readonly side: Side | undefined; readonly version: Version | undefined; readonly changed: boolean } {
  const value = wanted?.value;
  const same = skipUnchanged && value === (side?.value ?? (version ? '' : undefined));
  if (value === undefined || same) return { side, version, changed: false };
  return { side: { value, timestamp: now }, version: bumped(version ?? { cloud: 0, edge: 0 }), changed: true };
}

function refusedSide(name: string, which: string, side: SideRequest | undefined, type: string): Refusal | undefined {
  if (side === undefined) return undefined;
  if (side.value === undefined) return { code: 400, reason: `the ${which} of twin ${name} has no value; give "${which}":{"value":"…"}, or leave it out` };
  const reason = refusedType(type, side.value);
  return reason === undefined ? undefined : { code: 400, reason };
}

/** `deleted` is the mark of a tombstone and no type; others count only when there is a value to check. */
function refusedTypeName(type: string): Refusal | undefined {
  return type === DELETED || type.length > 128 ? { code: 400, reason: Reasons.noSuchType } : undefined;
}

function bumped(version: Version): Version {
  return { cloud: version.cloud, edge: version.edge + 1 };
}
