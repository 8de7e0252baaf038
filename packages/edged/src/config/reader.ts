import { EdgeError } from '@edge/core';

/** A section of the configuration file as it was read. */
export type Tree = Readonly<Record<string, unknown>>;

/** Reads the keys of a section. All throw `config.invalid` naming path and value for something of another form. */
export interface Reader {
  flag(key: string, fallback: boolean): boolean;
  number(key: string, fallback: number): number;
  text(key: string, fallback: string): string;
  texts(key: string, fallback: Readonly<Record<string, string>>): Readonly<Record<string, string>>;
  list(key: string): readonly unknown[];
  duration(key: string, fallback: number): number;
  /** Milliseconds by name. */
  durations(key: string): Readonly<Record<string, number>>;
}

/** Null counts as missing, as for Go's pointers; so does an empty text. */
export function reader(from: Tree, path: string): Reader {
  const get = <T>(key: string, fallback: T, fits: (value: unknown) => boolean, right: string): T => {
    const value = from[key];
    if (value === undefined || value === null || value === '') return fallback;
    if (!fits(value)) throw invalid(`${path}.${key}`, value, right);
    return value as T;
  };
  const isDuration = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';
  const isTexts = (value: unknown): boolean => isTree(value) && Object.values(value).every((one) => typeof one === 'string');
  return {
    flag: (key, fallback) => get(key, fallback, (value) => typeof value === 'boolean', 'true or false'),
    number: (key, fallback) => get(key, fallback, (value) => Number.isSafeInteger(value), 'a whole number'),
    text: (key, fallback) => get(key, fallback, (value) => typeof value === 'string', 'a text'),
    texts: (key, fallback) => get(key, fallback, isTexts, 'names with texts'),
    list: (key) => get<readonly unknown[]>(key, [], Array.isArray, 'a list'),
    duration: (key, fallback) => {
      const value = get<string | number>(key, '', isDuration, 'a duration such as 10s or 5m0s');
      return value === '' ? fallback : durationMs(value, `${path}.${key}`, fallback);
    },
    durations: (key) => {
      const all = get<Readonly<Record<string, string | number>>>(key, {}, (value) => isTree(value) && Object.values(value).every(isDuration), 'names with durations');
      return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, durationMs(value, `${path}.${key}["${name}"]`, 0)]));
    },
  };
}

/** A section; one that is missing is empty. @throws EdgeError `config.invalid` */
export function tree(value: unknown, path: string): Tree {
  if (value === undefined || value === null) return {};
  if (!isTree(value)) throw invalid(path, value, 'a section with keys');
  return value;
}

/** Says what stands at a path and what has to. */
export function invalid(path: string, value: unknown, right: string): EdgeError {
  return new EdgeError('config.invalid', `${path} is ${JSON.stringify(value)?.slice(0, 80)}, it has to be ${right}`);
}

/** True for an object with keys; lists are none. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const UNITS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, 'µs': 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Go's notation; a number is nanoseconds, as Go writes durations into JSON. Zero means the default. */
function durationMs(value: string | number, path: string, fallback: number): number {
  let sum = 0;
  if (typeof value === 'number') {
    sum = value / 1e6;
  } else if (value !== '0') {
    const parts = [...value.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
    if (parts.map(([whole]) => whole).join('') !== value) throw invalid(path, value, 'a duration such as 10s or 5m0s');
    for (const [, amount, unit] of parts) sum += Number(amount) * (UNITS[unit ?? ''] ?? 0);
  }
  return sum > 0 ? sum : fallback;
}
