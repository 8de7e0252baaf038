import { EdgeError } from '../errors.js';

/** Something with a name that comes after others. */
export interface Ordered {
  readonly name: string;
  readonly after: readonly string[];
}

/** An order, or the names of those that wait for each other, in their order. */
type Order<T> = { readonly ordered: T[] } | { readonly circle: readonly string[] };

/**
 * The start order: each one after those it names; names that are absent do not count; otherwise as given.
 * @throws EdgeError `core.cycle` with the circle written out
 */
export function startOrder<T extends Ordered>(items: readonly T[]): T[] {
  const order = orderOf(items);
  if ('ordered' in order) return order.ordered;
  throw new EdgeError('core.cycle', circleText(order.circle));
}

/** Names of items that wait for each other in a circle; undefined when none do. */
export function circleOf(items: readonly Ordered[]): readonly string[] | undefined {
  const order = orderOf(items);
  return 'circle' in order ? order.circle : undefined;
}

/** What is wrong with a circle, for people. */
export function circleText(circle: readonly string[]): string {
  return `modules wait for each other in a circle: ${[...circle, circle[0]].join(' → ')}; remove one of these "after" entries`;
}

function orderOf<T extends Ordered>(items: readonly T[]): Order<T> {
  const byName = new Map(items.map((item) => [item.name, item]));
  const done = new Set<string>();
  const ordered: T[] = [];
  const visit = (item: T, path: readonly string[]): readonly string[] | undefined => {
    if (done.has(item.name)) return undefined;
    const start = path.indexOf(item.name);
    if (start >= 0) return path.slice(start);
    for (const name of item.after) {
      const needed = byName.get(name);
      const circle = needed && visit(needed, [...path, item.name]);
      if (circle) return circle;
    }
    done.add(item.name);
    ordered.push(item);
    return undefined;
  };
  for (const item of items) {
    const circle = visit(item, []);
    if (circle) return { circle };
  }
  return { ordered };
}
