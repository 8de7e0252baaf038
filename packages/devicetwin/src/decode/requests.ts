import type { Fields } from '@edge/protocol';
import type { Version } from '../model/device.js';
import { booleanIn, integerIn, memberOf, objectIn, parseJson, textIn } from './go-json.js';
import { isTwinKey, Reasons, refusedValue } from './values.js';

/** A request that is refused, with what the client is told. */
export interface Refusal {
  readonly code: 400 | 404 | 500;
  readonly reason: string;
}

export function isRefusal(value: object): value is Refusal {
  return 'code' in value && 'reason' in value;
}

/** One side of a property in a request; without a value it says nothing. */
export interface SideRequest {
  readonly value: string | undefined;
}

/** What a request says about one property. */
export interface TwinRequest {
  readonly expected?: SideRequest | undefined;
  readonly actual?: SideRequest | undefined;
  readonly optional?: boolean | undefined;
  readonly metadata?: { readonly type: string } | undefined;
  readonly expectedVersion?: Version | undefined;
  readonly actualVersion?: Version | undefined;
}

/** Properties by name; null asks for the deletion. */
export type TwinRequests = ReadonlyMap<string, TwinRequest | null>;

export interface TwinUpdateRequest {
  readonly eventId: string;
  readonly twins: TwinRequests;
}

/** Reads the payload of `twin/update`. @param anyValue whether values may hold any characters */
export function readTwinUpdate(payload: string, anyValue: boolean): TwinUpdateRequest | Refusal {
  let request: { readonly eventId: string; readonly twins: TwinRequests | undefined };
  try {
    const fields = objectIn(parseJson(payload), 'the request') ?? {};
    const twin = objectIn(memberOf(fields, 'twin'), 'twin');
    request = { eventId: readBase(fields).eventId, twins: twin && readTwins(twin) };
  } catch {
    return { code: 400, reason: Reasons.unreadable };
  }
  if (request.twins === undefined) return { code: 400, reason: Reasons.noTwin };
  const reason = refusedTwins(request.twins, anyValue);
  return reason === undefined ? { eventId: request.eventId, twins: request.twins } : { code: 400, reason };
}

/** Why keys or values are refused, undefined when all are fine. */
export function refusedTwins(twins: TwinRequests, anyValue: boolean): string | undefined {
  for (const [key, twin] of twins) {
    if (!isTwinKey(key)) return Reasons.badKey;
    for (const side of [twin?.expected, twin?.actual]) {
      const reason = side?.value === undefined ? undefined : refusedValue(side.value, anyValue);
      if (reason !== undefined) return reason;
    }
  }
  return undefined;
}

/** Reads the members that every request has. @throws Error naming the member */
export function readBase(fields: Fields): { readonly eventId: string; readonly timestamp: number } {
  return { eventId: textIn(fields, 'event_id') ?? '', timestamp: integerIn(fields, 'timestamp') ?? 0 };
}

/** Reads the payload of `twin/get` and `membership/get`. @throws Error naming the member */
export function readQuestion(payload: string): { readonly eventId: string } {
  return readBase(objectIn(parseJson(payload), 'the request') ?? {});
}

/** Reads the payload of `state/update`. @throws Error naming the member */
export function readStateUpdate(payload: string): { readonly eventId: string; readonly state: string } {
  const fields = objectIn(parseJson(payload), 'the request') ?? {};
  const { eventId } = readBase(fields);
  return { eventId, state: textIn(fields, 'state') ?? '' };
}

/** @throws Error naming the member */
export function readTwins(fields: Fields): Map<string, TwinRequest | null> {
  const twins = new Map<string, TwinRequest | null>();
  for (const key of Object.keys(fields)) {
    const where = `twin ${key}`;
    const twin = objectIn(fields[key], where);
    twins.set(key, twin === undefined ? null : readTwin(twin, where));
  }
  return twins;
}

function readTwin(fields: Fields, where: string): TwinRequest {
  const metadata = objectIn(memberOf(fields, 'metadata'), `metadata of ${where}`);
  return {
    expected: readSide(fields, 'expected', where),
    actual: readSide(fields, 'actual', where),
    optional: booleanIn(fields, 'optional', `optional of ${where}`),
    metadata: metadata && { type: textIn(metadata, 'type', `type of ${where}`) ?? '' },
    expectedVersion: readVersion(fields, 'expected_version', where),
    actualVersion: readVersion(fields, 'actual_version', where),
  };
}

function readSide(fields: Fields, name: string, where: string): SideRequest | undefined {
  const side = objectIn(memberOf(fields, name), `${name} of ${where}`);
  if (side === undefined) return undefined;
  // The client's time does not count, but it must be one.
  const metadata = objectIn(memberOf(side, 'metadata'), `metadata of ${name} of ${where}`);
  if (metadata) integerIn(metadata, 'timestamp', `timestamp of ${name} of ${where}`);
  return { value: textIn(side, 'value', `${name} of ${where}`) };
}

function readVersion(fields: Fields, name: string, where: string): Version | undefined {
  const version = objectIn(memberOf(fields, name), `${name} of ${where}`);
  return version && { cloud: integerIn(version, 'cloud', `${name}.cloud of ${where}`) ?? 0, edge: integerIn(version, 'edge', `${name}.edge of ${where}`) ?? 0 };
}
