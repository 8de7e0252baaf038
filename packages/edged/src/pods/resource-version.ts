import type { ObjectMeta } from '@edge/protocol';

/** True when the object `next` is an older state than `known`. What cannot be compared counts as newer. */
export function isOlder(next: ObjectMeta, known: ObjectMeta): boolean {
  if (next.uid !== known.uid) return false;
  const [a, b] = [next.resourceVersion, known.resourceVersion];
  if (a === undefined || b === undefined || !/^\d{1,40}$/.test(a) || !/^\d{1,40}$/.test(b)) return false;
  return BigInt(a) < BigInt(b);
}
