/** A JSON object of any kind. */
export type Fields = Record<string, unknown>;

/** True for a JSON object: no list, no null. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equal as JSON data; the order of fields does not count, a field that is undefined counts as absent. */
export function sameData(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameData(item, b[i]));
  if (!isFields(a) || !isFields(b)) return false;
  return Object.keys(a).every((key) => sameData(a[key], own(b, key)))
    && Object.keys(b).every((key) => b[key] === undefined || own(a, key) !== undefined);
}

/** What an object inherits, as `toString`, is none of its fields. */
function own(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

/** RFC 3339 in UTC with whole seconds, as Kubernetes objects carry it. @param at milliseconds since the epoch */
export function timestamp(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
