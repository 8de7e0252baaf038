import type { RestRule } from './rules.js';

/** What may stand in the place of `{x}`. */
const SEGMENT = '[-A-Za-z0-9+&@#%?=~_|!:,.;]+';
const PLACE = new RegExp(`\\{${SEGMENT}\\}`, 'g');

/**
 * The rule for a request. As CloudCore's, a path is an expression that may fit anywhere in the request's path, and `{x}` in it
 * stands for one part; of several that fit the longest is taken, where CloudCore takes any.
 * @param uri path and query as they came
 */
export function ruleFor(rules: readonly RestRule[], uri: string): RestRule | undefined {
  const fitting = rules.filter(({ namespace, path }) => fits(`/${namespace}/${path}`, uri));
  return fitting.sort((a, b) => b.path.length - a.path.length || (a.rule < b.rule ? -1 : 1))[0];
}

function fits(path: string, uri: string): boolean {
  try {
    return new RegExp(path.replace(PLACE, SEGMENT)).test(uri);
  } catch {
    // No expression, so it is meant as it stands.
    return uri.includes(path);
  }
}

/** The node that a request is for, and what of its path goes on to the target. Undefined: the path is too short for a rule. */
export function partsOf(rule: RestRule, uri: string): { readonly node: string; readonly rest: string } | undefined {
  const match = /^\/([^/]*)\/[^/]*\/(.*)$/s.exec(uri);
  if (match === null) return undefined;
  const [, node = '', behind = ''] = match;
  return { node, rest: behind.startsWith(rule.path) ? behind.slice(rule.path.length) : behind };
}

/** What a target has, and behind one slash what is left of the request's path. */
export function joined(target: string, rest: string): string {
  return rest === '' ? target : `${target.replace(/\/$/, '')}/${rest.replace(/^\//, '')}`;
}
