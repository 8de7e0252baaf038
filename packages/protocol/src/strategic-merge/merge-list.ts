import { isFields } from '../data.js';
import { mergeFields } from './merge.js';
import type { MergeRules } from './rules.js';
import { PATCH, patchError, plainCopy } from './values.js';

/** Adds what is not there yet. */
export function mergeSet(original: readonly unknown[], patch: readonly unknown[]): unknown[] {
  return [...new Set([...original, ...patch])];
}

/** Merges items with the same key, appends new ones, removes those marked `$patch: delete`. */
export function mergeMapList(
  original: readonly unknown[], patch: readonly unknown[], key: string, path: readonly string[], rules: MergeRules,
): unknown[] {
  const result = [...original];
  for (const item of patch) {
    if (!isFields(item)) throw patchError(path, `an item is not an object but the list is merged by "${key}"`);
    if (item[key] === undefined) throw patchError(path, `an item lacks its merge key "${key}"`);
    const at = result.findIndex((candidate) => isFields(candidate) && candidate[key] === item[key]);
    if (item[PATCH] === 'delete') {
      if (at >= 0) result.splice(at, 1);
    } else if (at < 0) {
      result.push(plainCopy(item));
    } else {
      // The path of an item is that of its list: rules know no indexes.
      result[at] = mergeFields(result[at] as Record<string, unknown>, item, path, rules);
    }
  }
  return result;
}

/**
 * Brings `list` into the order of `wanted` (items or their keys). Items that `wanted` does not name keep their place
 * relative to what stood before them in `before`.
 */
export function orderList(
  list: readonly unknown[], wanted: readonly unknown[], before: readonly unknown[], keyOf: (item: unknown) => unknown,
): unknown[] {
  const rank = new Map(wanted.map((item, index) => [keyOf(item), index]));
  const place = new Map(before.map((item, index) => [keyOf(item), index]));
  const rankOf = (item: unknown): number => rank.get(keyOf(item)) ?? -1;
  const named = list.filter((item) => rankOf(item) >= 0).sort((a, b) => rankOf(a) - rankOf(b));
  const others = list.filter((item) => rankOf(item) < 0);
  const result: unknown[] = [];
  for (const other of others) {
    const limit = place.get(keyOf(other)) ?? Number.POSITIVE_INFINITY;
    while (named.length > 0 && (place.get(keyOf(named[0])) ?? -1) < limit) result.push(named.shift());
    result.push(other);
  }
  return [...result, ...named];
}
