import { isFields, type Fields } from '../data.js';
import { mergeMapList, mergeSet, orderList } from './merge-list.js';
import { kubernetesMergeRules, type MergeRules } from './rules.js';
import { DELETE_SCALARS, isDirective, isUnsafe, PATCH, patchError, plainCopy, RETAIN_KEYS, SET_ORDER } from './values.js';

/**
 * Applies a strategic merge patch and returns the result; neither argument is changed, unchanged parts are shared with
 * `original`. Objects merge field by field, null removes a field, lists merge as `rules` say (replaced when they say
 * nothing). Understands `$patch`, `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…`.
 * Throws ProtocolError `protocol.patch` for a patch that makes no sense.
 */
export function strategicMerge<T extends object>(original: T, patch: object, rules: MergeRules = kubernetesMergeRules): T {
  return mergeFields(original as Fields, patch as Fields, [], rules) as T;
}

export function mergeFields(original: Fields, patch: Fields, path: readonly string[], rules: MergeRules): Fields {
  const directive = patch[PATCH];
  if (directive === 'replace') return plainCopy(patch) as Fields;
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge') throw patchError(path, `unknown $patch value ${JSON.stringify(directive)}`);

  const result: Fields = retained(original, patch[RETAIN_KEYS], path);
  for (const [key, value] of Object.entries(patch)) {
    if (isDirective(key) || isUnsafe(key)) continue;
    if (value === null) delete result[key];
    else result[key] = mergeValue(result[key], value, [...path, key], rules);
  }
  for (const [key, value] of Object.entries(patch)) applyListDirective(result, original, key, value, path, rules);
  return result;
}

function mergeValue(original: unknown, value: unknown, path: readonly string[], rules: MergeRules): unknown {
  if (isFields(value)) return isFields(original) ? mergeFields(original, value, path, rules) : mergeFields({}, value, path, rules);
  if (!Array.isArray(value)) return value;
  // A list that is not there yet is taken as it comes, even with items that no key tells apart.
  if (!Array.isArray(original)) return plainCopy(value);
  const rule = rules(path);
  const replace = value.some((item) => isFields(item) && item[PATCH] === 'replace');
  if (replace || rule === undefined || rule.kind === 'retainKeys') return plainCopy(value);
  return rule.kind === 'set' ? mergeSet(original, value) : mergeMapList(original, value, rule.key, path, rules);
}

function retained(original: Fields, keys: unknown, path: readonly string[]): Fields {
  if (keys === undefined) return { ...original };
  if (!Array.isArray(keys)) throw patchError(path, '$retainKeys must be a list of field names');
  return Object.fromEntries(Object.entries(original).filter(([key]) => keys.includes(key)));
}

function applyListDirective(result: Fields, original: Fields, key: string, value: unknown, path: readonly string[], rules: MergeRules): void {
  const remove = key.startsWith(DELETE_SCALARS);
  if (!remove && !key.startsWith(SET_ORDER)) return;
  if (!Array.isArray(value)) throw patchError(path, `${key} must be a list`);
  const field = key.slice((remove ? DELETE_SCALARS : SET_ORDER).length);
  const list = result[field];
  if (!Array.isArray(list)) return;
  if (remove) {
    result[field] = list.filter((item) => !value.includes(item));
    return;
  }
  const rule = rules([...path, field]);
  const before = Array.isArray(original[field]) ? (original[field] as unknown[]) : [];
  if (rule?.kind === 'map') result[field] = orderList(list, value, before, (item) => (isFields(item) ? item[rule.key] : undefined));
  else if (rule?.kind === 'set') result[field] = orderList(list, value, before, (item) => item);
}
