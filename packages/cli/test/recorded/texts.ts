import { normalise, type NormaliseOptions } from '@edge/testing';

/** JSON with sorted members and times as words, so that what means the same is the same text. */
export function comparable(value: unknown, options: NormaliseOptions = {}): string {
  return JSON.stringify(sorted(normalise(value, options)), null, 1);
}

/** A null means the same as no member, as in a stored object. */
export function sameButTimes(one: unknown, other: unknown): boolean {
  return comparable(withoutNulls(one)) === comparable(withoutNulls(other));
}

/** A copy without members that are null. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === null ? [] : [[key, withoutNulls(item)]])));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]));
}

/** Member names of a frame in their order, and how it ends. */
export function envelopeShape(text: string): string {
  const { header = {}, route = {}, ...rest } = JSON.parse(text) as { header?: object; route?: object };
  const end = text.endsWith('}\n') ? 'newline' : 'no newline';
  return `header ${Object.keys(header).join(' ')}; route ${Object.keys(route).join(' ')}; ${Object.keys(rest).join(' ')}; ${end}`;
}

/** Lines of one text that the other has not, both ways. */
export function differingLines(upstream: string, ours: string): string {
  const [theirs, own] = [upstream.split('\n'), ours.split('\n')];
  const only = (lines: readonly string[], others: readonly string[], sign: string): string[] =>
    lines.filter((line) => !others.includes(line)).map((line) => `${sign} ${line.trim().slice(0, 300)}`);
  const lines = [...only(theirs, own, 'upstream'), ...only(own, theirs, 'ours')];
  return lines.length > 0 ? lines.slice(0, 20).join('\n') : 'the same lines in another order or number';
}
