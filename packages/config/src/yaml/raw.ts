/** A YAML document reduced to what a configuration needs, with line numbers. Aliases share nodes; there are no cycles. */

export interface RawScalar {
  readonly kind: 'scalar';
  readonly line: number;
  readonly value: string | number | boolean | null;
  /** As written, for a plain scalar that is wanted as a string: `1.10` stays `1.10`. */
  readonly text: string;
}

export interface RawEntry {
  readonly key: string;
  readonly line: number;
  readonly value: Raw;
}

export interface RawMap {
  readonly kind: 'map';
  readonly line: number;
  readonly entries: readonly RawEntry[];
}

export interface RawList {
  readonly kind: 'list';
  readonly line: number;
  readonly items: readonly Raw[];
}

export type Raw = RawScalar | RawMap | RawList;

/** `a list`, `a section`, `"abc"`, `12`: how a value is named to people. Strings are quoted, nested values are never shown. */
export function describeRaw(raw: Raw): string {
  if (raw.kind === 'map') return 'a section';
  if (raw.kind === 'list') return 'a list';
  if (raw.value === null) return 'null';
  return typeof raw.value === 'string' ? JSON.stringify(raw.value) : raw.text;
}
