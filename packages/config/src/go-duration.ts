/** Go's duration notation (`1m30s`, `100ms`), which the kubelet part of the file uses. Nanoseconds are `bigint`: int64 does not fit a number. */

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  'µs': 1_000n,
  // The Greek letter, as Go takes it too. An escape, because one such letter makes the bundled program twice as large in memory.
  '\u03bcs': 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|\u03bcs|ms|s|m|h)/y;
const MAX = 2n ** 63n - 1n;
/** Longer texts are no durations; the limit keeps the digits that become a bigint few. */
const MAX_TEXT = 64;

/** Nanoseconds of a Go duration text; `undefined` when it is none or does not fit int64. */
export function parseGoDuration(text: string): bigint | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const negative = text.startsWith('-');
  const body = /^[+-]/.test(text) ? text.slice(1) : text;
  if (body === '0') return 0n;
  if (body === '') return undefined;
  let total = 0n;
  PART.lastIndex = 0;
  while (PART.lastIndex < body.length) {
    const match = PART.exec(body);
    if (match === null) return undefined;
    const [, whole = '', fraction = '', unit = ''] = match;
    const scale = UNITS[unit];
    if (scale === undefined || whole + fraction === '') return undefined;
    total += BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length);
  }
  if (total > MAX) return undefined;
  return negative ? -total : total;
}

/** The text Go prints: `0s`, `100ms`, `1m0s`, `4h0m0s`. */
export function formatGoDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  if (nanoseconds < 0n) return `-${formatGoDuration(-nanoseconds)}`;
  if (nanoseconds < 1_000n) return `${nanoseconds}ns`;
  if (nanoseconds < 1_000_000n) return `${decimal(nanoseconds, 1_000n)}µs`;
  if (nanoseconds < 1_000_000_000n) return `${decimal(nanoseconds, 1_000_000n)}ms`;
  const minutes = nanoseconds / 60_000_000_000n;
  const seconds = `${decimal(nanoseconds % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) return seconds;
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** Milliseconds of a duration text out of a loaded configuration. Throws `RangeError` for a text that is no duration. */
export function durationMs(text: string): number {
  const nanoseconds = parseGoDuration(text);
  if (nanoseconds === undefined) throw new RangeError(`not a duration: ${text}`);
  return Number(nanoseconds) / 1e6;
}

function decimal(value: bigint, scale: bigint): string {
  const rest = value % scale;
  if (rest === 0n) return String(value / scale);
  return `${value / scale}.${String(rest).padStart(String(scale).length - 1, '0').replace(/0+$/, '')}`;
}
