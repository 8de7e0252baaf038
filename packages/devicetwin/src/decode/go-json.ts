import { isFields, type Fields } from '@edge/protocol';

/**
 * Reading JSON as Go's decoder does where users' programs rely on it: keys of known members match in any case, null counts as
 * absent, unknown members are ignored, and a member of the wrong type spoils the whole. Throws plain errors whose text names
 * the member, its value and what would be right; callers make refusals of them.
 */

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`it is not JSON: ${excerpt(text)}`, { cause });
  }
}

/** An object, or undefined for null and absent. */
export function objectIn(value: unknown, where: string): Fields | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isFields(value)) throw wrong(where, value, 'an object');
  return value;
}

/** The member by its name in any case; undefined for null and absent. */
export function memberOf(fields: Fields, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name] ?? undefined;
  const key = Object.keys(fields).find((candidate) => candidate.length === name.length && candidate.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : (fields[key] ?? undefined);
}

export function textIn(fields: Fields, name: string, where = name): string | undefined {
  const value = memberOf(fields, name);
  if (value !== undefined && typeof value !== 'string') throw wrong(where, value, 'a text');
  return value;
}

export function booleanIn(fields: Fields, name: string, where = name): boolean | undefined {
  const value = memberOf(fields, name);
  if (value !== undefined && typeof value !== 'boolean') throw wrong(where, value, 'true or false');
  return value;
}

/** A whole number. */
export function integerIn(fields: Fields, name: string, where = name): number | undefined {
  const value = memberOf(fields, name);
  if (value !== undefined && (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > 2 ** 63)) throw wrong(where, value, 'a whole number');
  return value;
}

function wrong(where: string, value: unknown, expected: string): Error {
  return new Error(`${where} is ${excerpt(JSON.stringify(value) ?? 'undefined')}, it must be ${expected}`);
}

function excerpt(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
