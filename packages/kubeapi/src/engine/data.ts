import { isFields, type Fields } from '@edge/protocol';

/** A private copy of JSON data. Fields called `__proto__` and fields that are undefined are left out. */
export function copyData<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => copyData(item)) as T;
  if (!isFields(value)) return value;
  const copy: Fields = {};
  for (const key of Object.keys(value)) {
    if (key !== '__proto__' && value[key] !== undefined) copy[key] = copyData(value[key]);
  }
  return copy as T;
}

/** Removes fields that are null, as a typed decoder would; list items stay. Changes `value`. */
export function dropNulls(value: unknown): void {
  if (Array.isArray(value)) value.forEach(dropNulls);
  else if (isFields(value)) {
    for (const key of Object.keys(value)) {
      if (value[key] === null) delete value[key];
      else dropNulls(value[key]);
    }
  }
}

/** How deep objects and lists are nested, at most `limit`: the answer never needs more stack than that. */
export function depthOf(value: unknown, limit: number): number {
  if (limit === 0 || typeof value !== 'object' || value === null) return 0;
  let deepest = 0;
  for (const inner of Object.values(value)) deepest = Math.max(deepest, depthOf(inner, limit - 1));
  return deepest + 1;
}

/** Reads `.spec.replicas` or `.spec['a.b'][0]`; undefined when something on the way is not there. */
export function readPath(object: unknown, path: string): unknown {
  let value: unknown = object;
  for (const match of path.matchAll(/\.?([^.[\]]+)|\[(?:'([^']*)'|"([^"]*)"|(\d+))\]/g)) {
    const key = match[1] ?? match[2] ?? match[3] ?? match[4] ?? '';
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Fields)[key];
  }
  return value;
}

/** Sets a dotted path, making objects on the way. Changes `object`. */
export function writePath(object: Fields, path: string, value: unknown): void {
  const keys = path.split('.').filter((key) => key !== '');
  let at = object;
  for (const key of keys.slice(0, -1)) {
    if (!isFields(at[key])) at[key] = {};
    at = at[key] as Fields;
  }
  const last = keys.at(-1);
  if (last !== undefined) at[last] = value;
}
