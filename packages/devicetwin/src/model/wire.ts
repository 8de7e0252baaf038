import { isDeleted, type AttributeState, type Side, type TwinState, type Version } from './device.js';

/** A side as it stands in payloads; `{}` for the side of a tombstone. */
export interface WireSide {
  readonly value?: string;
  readonly metadata?: { readonly timestamp?: number };
}

/** A twin as it stands in payloads. Members are in the order in which Go writes them. */
export interface WireTwin {
  readonly expected?: WireSide;
  readonly actual?: WireSide;
  readonly optional?: boolean;
  readonly metadata?: { readonly type?: string };
  readonly expected_version?: Version;
  readonly actual_version?: Version;
}

/** An attribute as it stands in payloads. */
export interface WireAttribute {
  readonly value: string;
  readonly optional?: boolean;
  readonly metadata?: { readonly type?: string };
}

/** Which parts of a twin a payload shows. */
export interface Shown {
  readonly expected: boolean;
  readonly actual: boolean;
}

const BOTH: Shown = { expected: true, actual: true };

/** The twin without versions, as clients see it. */
export function clientTwin(twin: TwinState, shown: Shown = BOTH): WireTwin {
  return {
    ...(shown.expected && twin.expected ? { expected: wireSide(twin.expected) } : {}),
    ...(shown.actual && twin.actual ? { actual: wireSide(twin.actual) } : {}),
    optional: twin.optional,
    metadata: wireType(twin.type),
  };
}

/** The twin with versions, as the cloud sees it. A tombstone shows empty sides where it had some. */
export function cloudTwin(twin: TwinState, shown: Shown = BOTH): WireTwin {
  const empty = isDeleted(twin) ? {} : undefined;
  const expected = twin.expected ? wireSide(twin.expected) : twin.expectedVersion && empty;
  const actual = twin.actual ? wireSide(twin.actual) : twin.actualVersion && empty;
  return {
    ...(shown.expected && expected ? { expected } : {}),
    ...(shown.actual && actual ? { actual } : {}),
    optional: twin.optional,
    metadata: wireType(twin.type),
    ...(shown.expected && twin.expectedVersion ? { expected_version: twin.expectedVersion } : {}),
    ...(shown.actual && twin.actualVersion ? { actual_version: twin.actualVersion } : {}),
  };
}

export function wireAttribute(attribute: AttributeState): WireAttribute {
  return { value: attribute.value, optional: attribute.optional, metadata: wireType(attribute.type) };
}

function wireSide({ value, timestamp }: Side): WireSide {
  return timestamp === undefined ? { value } : { value, metadata: timestamp === 0 ? {} : { timestamp } };
}

export function wireType(type: string): { readonly type?: string } {
  return type === '' ? {} : { type };
}
