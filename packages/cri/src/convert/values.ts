/** Largest value of a signed 64-bit field. */
const MAX_INT64 = 2n ** 63n - 1n;

/** A whole number for the wire; absent is 0, what is too large is the largest there is. */
export function int64(value: number | undefined): bigint {
  if (value === undefined) return 0n;
  const whole = BigInt(Math.trunc(value));
  return whole > MAX_INT64 ? MAX_INT64 : whole;
}

/** Times of the wire are nanoseconds; ours are milliseconds, 0 for never. Some runtimes send a negative number for it. */
export function milliseconds(nanoseconds: bigint): number {
  return nanoseconds <= 0n ? 0 : Number(nanoseconds / 1_000_000n);
}

/** A wrapped number of the wire as a property that is left out when the runtime did not give it. */
export function given<Key extends string>(key: Key, value: { readonly value: bigint } | undefined): { readonly [K in Key]?: number } {
  return value === undefined ? {} : ({ [key]: Number(value.value) } as { readonly [K in Key]?: number });
}
