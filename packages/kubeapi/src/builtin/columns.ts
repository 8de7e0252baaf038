import type { KubeObject } from '../types/object.js';
import type { TableColumn } from '../types/resource.js';

type Value = TableColumn['value'];

/** A column, shown always. */
export function column(name: string, value: Value, type: TableColumn['type'] = 'string'): TableColumn {
  return { name, type, value };
}

/** A column that only `-o wide` shows. */
export function wide(name: string, value: Value): TableColumn {
  return { name, type: 'string', priority: 1, value };
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** A span in at most two units, the way kubectl users know it: 45s, 3m20s, 47m, 5h12m, 30h, 3d4h, 80d, 2y30d. */
export function spanText(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (unit: number, name: string, smaller: number, smallerName: string): string => {
    const rest = Math.floor((s % unit) / smaller);
    return `${Math.floor(s / unit)}${name}${rest === 0 ? '' : `${rest}${smallerName}`}`;
  };
  if (s < 2 * MINUTE) return `${s}s`;
  if (s < 10 * MINUTE) return two(MINUTE, 'm', 1, 's');
  if (s < 3 * HOUR) return `${Math.floor(s / MINUTE)}m`;
  if (s < 8 * HOUR) return two(HOUR, 'h', MINUTE, 'm');
  if (s < 2 * DAY) return `${Math.floor(s / HOUR)}h`;
  if (s < 8 * DAY) return two(DAY, 'd', HOUR, 'h');
  if (s < 2 * YEAR) return `${Math.floor(s / DAY)}d`;
  if (s < 8 * YEAR) return two(YEAR, 'y', DAY, 'd');
  return `${Math.floor(s / YEAR)}y`;
}

/** How long ago an RFC 3339 time was; `<unknown>` when there is none. */
export function ageText(time: unknown, now: Date): string {
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return Number.isNaN(at) ? '<unknown>' : spanText((now.getTime() - at) / 1000);
}

export const AGE: TableColumn = column('Age', (object, now) => ageText(object.metadata.creationTimestamp, now));

export const NONE = '<none>';

/** Text or `<none>`. */
export function orNone(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : NONE;
}

/** Fields of an object that nobody has checked: any path gives undefined instead of an exception. */
export function at(object: unknown, ...path: (string | number)[]): unknown {
  let value = object;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

/** The list itself, which is the stored object's: read it only. */
export function listAt(object: unknown, ...path: (string | number)[]): unknown[] {
  const value = at(object, ...path);
  return Array.isArray(value) ? value : [];
}

export function numberAt(object: unknown, ...path: (string | number)[]): number {
  const value = at(object, ...path);
  return typeof value === 'number' ? value : 0;
}

export function textAt(object: unknown, ...path: (string | number)[]): string {
  const value = at(object, ...path);
  return typeof value === 'string' ? value : '';
}

export function countAt(object: KubeObject, ...fields: string[]): number {
  return fields.reduce((sum, field) => sum + Object.keys((at(object, field) ?? {}) as object).length, 0);
}
