import { edgedError } from '../errors.js';

/** Suffix → factor of Kubernetes quantities, in thousandths so that `m` is whole. */
const FACTORS: Readonly<Record<string, bigint>> = {
  m: 1n,
  '': 1000n,
  k: 1000n ** 2n,
  M: 1000n ** 3n,
  G: 1000n ** 4n,
  T: 1000n ** 5n,
  P: 1000n ** 6n,
  E: 1000n ** 7n,
  Ki: 1000n * 2n ** 10n,
  Mi: 1000n * 2n ** 20n,
  Gi: 1000n * 2n ** 30n,
  Ti: 1000n * 2n ** 40n,
  Pi: 1000n * 2n ** 50n,
  Ei: 1000n * 2n ** 60n,
};
const FORM = /^([+-]?)(\d{0,18})(?:\.(\d{0,18}))?(?:([eE][+-]?\d{1,2})|([A-Za-z]{0,2}))$/;

/**
 * A Kubernetes quantity in thousandths: `100m` is 100, `1Ki` is 1024000. What is finer is rounded up.
 * @throws EdgeError `edged.quantity`
 */
export function parseQuantity(text: string): bigint {
  const match = FORM.exec(text.trim());
  const [, sign, whole = '', fraction = '', exponent, suffix = ''] = match ?? [];
  const factor = FACTORS[suffix];
  if (!match || factor === undefined || whole + fraction === '') {
    throw edgedError('edged.quantity', `"${text.slice(0, 40)}" is no resource quantity such as 100m, 0.5 or 64Mi`);
  }
  const power = exponent === undefined ? 0 : Number(exponent.slice(1));
  const digits = BigInt(whole + fraction) * factor * (power > 0 ? 10n ** BigInt(power) : 1n);
  const divisor = 10n ** BigInt(fraction.length) * (power < 0 ? 10n ** BigInt(-power) : 1n);
  const value = (digits + divisor - 1n) / divisor;
  return sign === '-' ? -value : value;
}

/** Bytes in the shortest binary form without fraction, as Kubernetes writes them: `100Mi`, `24684084Ki`, `1025`. */
export function formatBytes(bytes: bigint): string {
  if (bytes === 0n) return '0';
  let rest = bytes;
  let at = 0;
  const suffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
  while (rest % 1024n === 0n && at < suffixes.length - 1) {
    rest /= 1024n;
    at += 1;
  }
  return `${rest}${suffixes[at] ?? ''}`;
}

/** Thousandths of a core: `2`, `1500m`. */
export function formatMilli(milli: bigint): string {
  return milli % 1000n === 0n ? `${milli / 1000n}` : `${milli}m`;
}
