import { encodeJson } from '@edge/protocol';

/**
 * JSON text as upstream stores what came in a message: members sorted by name at every depth, no blanks, HTML-safe.
 * Written by hand because a JavaScript object cannot hold members such as `"10"` and `"9"` in that order.
 */
export function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return encodeJson(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
    .map(([name, member]) => `${encodeJson(name)}:${sortedJson(member)}`);
  return `{${members.join(',')}}`;
}

/** JSON text as upstream's client stores an object after a status patch: type first, then the members as they came. */
export function structJson(kind: string, apiVersion: string, object: Readonly<Record<string, unknown>>): string {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return encodeJson({ kind, apiVersion, ...rest });
}
