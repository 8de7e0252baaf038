import { EdgeError } from '../errors.js';

/** Something with a name that comes after others. */
export interface Ordered {
  readonly name: string;
  readonly after: readonly string[];
}

/**
 * The start order: each one after those it names; names that are absent do not count; otherwise as given.
 * @throws EdgeError `core.cycle` with the circle written out
 */
export function startOrder<T extends Ordered>(items: readonly T[]): T[] {
  const byName = new Map(items.map((item) => [item.name, item]));
  const done = new Set<string>();
  const ordered: T[] = [];
  const visit = (item: T, path: readonly string[]): void => {
    if (done.has(item.name)) return;
    const start = path.indexOf(item.name);
    if (start >= 0) {
      const circle = [...path.slice(start), item.name].join(' → ');
      throw new EdgeError('core.cycle', `modules wait for each other in a circle: ${circle}; remove one of these "after" entries`);
    }
    for (const name of item.after) {
      const needed = byName.get(name);
      if (needed) visit(needed, [...path, item.name]);
    }
    done.add(item.name);
    ordered.push(item);
  };
  for (const item of items) visit(item, []);
  return ordered;
}
