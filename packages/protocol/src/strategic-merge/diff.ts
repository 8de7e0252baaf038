import { isFields, sameData, type Fields } from '../data.js';
import { kubernetesMergeRules, type MergeRules } from './rules.js';
import { DELETE_SCALARS, isUnsafe, PATCH, RETAIN_KEYS, SET_ORDER } from './values.js';

/**
 * The strategic merge patch that turns `original` into `modified`, in the form kubelet and kubectl send: only what
 * changed, null for what went away, list items named by their merge key, `$setElementOrder/…` beside a changed list.
 * `{}` when nothing changed. Parts are shared with `modified`. Null is read as "not there" in merging, so a null that
 * `modified` holds travels along but does not survive.
 */
export function createStrategicPatch(original: object, modified: object, rules: MergeRules = kubernetesMergeRules): Record<string, unknown> {
  return diffFields(original as Fields, modified as Fields, [], rules);
}

function diffFields(original: Fields, modified: Fields, path: readonly string[], rules: MergeRules): Fields {
  const patch: Fields = {};
  for (const key of Object.keys(original)) {
    if (!isUnsafe(key) && (!Object.hasOwn(modified, key) || modified[key] === undefined)) patch[key] = null;
  }
  for (const [key, to] of Object.entries(modified)) {
    if (to === undefined || isUnsafe(key)) continue;
    const from = Object.hasOwn(original, key) ? original[key] : undefined;
    if (!sameData(from, to)) diffField(patch, key, from, to, [...path, key], rules);
  }
  return patch;
}

function diffField(patch: Fields, key: string, from: unknown, to: unknown, path: readonly string[], rules: MergeRules): void {
  if (Array.isArray(from) && Array.isArray(to)) {
    diffList(patch, key, from, to, path, rules);
  } else if (isFields(from) && isFields(to)) {
    const inner = diffFields(from, to, path, rules);
    if (rules(path)?.kind === 'retainKeys') inner[RETAIN_KEYS] = Object.keys(to).sort();
    patch[key] = inner;
  } else {
    patch[key] = to;
  }
}

function diffList(patch: Fields, key: string, from: unknown[], to: unknown[], path: readonly string[], rules: MergeRules): void {
  const rule = rules(path);
  if (rule?.kind === 'set' && hasDistinct(from) && hasDistinct(to)) {
    const added = to.filter((item) => !from.includes(item));
    const removed = from.filter((item) => !to.includes(item));
    if (added.length > 0) patch[key] = added;
    if (removed.length > 0) patch[DELETE_SCALARS + key] = removed;
    if (to.length > 0) patch[SET_ORDER + key] = to;
  } else if (rule?.kind === 'map' && hasKeys(from, rule.key) && hasKeys(to, rule.key)) {
    const items = diffItems(from, to, rule, path, rules);
    if (items.length > 0) patch[key] = items;
    if (to.length > 0) patch[SET_ORDER + key] = to.map((item) => ({ [rule.key]: item[rule.key] }));
  } else if (rule?.kind === 'map' || rule?.kind === 'set') {
    // Two ports with one number, say: nothing tells them apart, so the list is sent as a whole.
    patch[key] = [{ [PATCH]: 'replace' }, ...to];
  } else {
    patch[key] = to;
  }
}

function diffItems(from: Fields[], to: Fields[], rule: { key: string; retainKeys?: boolean }, path: readonly string[], rules: MergeRules): Fields[] {
  const { key } = rule;
  const before = new Map(from.map((item) => [item[key], item]));
  const items: Fields[] = [];
  for (const item of to) {
    const old = before.get(item[key]);
    before.delete(item[key]);
    if (old === undefined) {
      items.push(item);
    } else if (!sameData(old, item)) {
      const inner: Fields = { ...diffFields(old, item, path, rules), [key]: item[key] };
      if (rule.retainKeys === true) inner[RETAIN_KEYS] = Object.keys(item).sort();
      items.push(inner);
    }
  }
  for (const gone of before.keys()) items.push({ [PATCH]: 'delete', [key]: gone });
  return items;
}

/** Every item is an object with a scalar key of its own. */
function hasKeys(list: unknown[], key: string): list is Fields[] {
  const seen = new Set<unknown>();
  return list.every((item) => {
    if (!isFields(item)) return false;
    const value = item[key];
    if ((typeof value !== 'string' && typeof value !== 'number') || seen.has(value)) return false;
    seen.add(value);
    return true;
  });
}

function hasDistinct(list: unknown[]): boolean {
  return list.every((item) => typeof item === 'string' || typeof item === 'number') && new Set(list).size === list.length;
}
