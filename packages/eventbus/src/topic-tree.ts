interface Node<T> {
  readonly children: Map<string, Node<T>>;
  /** What hangs on the filter that ends here. */
  readonly values: Set<T>;
}

/** Filters with something hanging on each, found by the topics that they match. A wildcard in front does not stand for a level that begins with `$`. */
export class TopicTree<T> {
  readonly #root: Node<T> = node();

  add(filter: string, value: T): void {
    let at = this.#root;
    for (const level of filter.split('/')) {
      let next = at.children.get(level);
      if (next === undefined) {
        next = node();
        at.children.set(level, next);
      }
      at = next;
    }
    at.values.add(value);
  }

  remove(filter: string, value: T): void {
    const path: [Node<T>, string][] = [];
    let at = this.#root;
    for (const level of filter.split('/')) {
      const next = at.children.get(level);
      if (next === undefined) return;
      path.push([at, level]);
      at = next;
    }
    at.values.delete(value);
    // Branches that hold nothing any more go, or invented topics would fill the memory.
    for (const [parent, level] of path.reverse()) {
      const child = parent.children.get(level);
      if (child === undefined || child.values.size > 0 || child.children.size > 0) return;
      parent.children.delete(level);
    }
  }

  /** Calls back for everything on filters that match, more than once for a value that hangs on several. */
  match(topic: string, found: (value: T) => void): void {
    visit(this.#root, topic.split('/'), 0, !topic.startsWith('$'), found);
  }

  /** True when any filter matches. */
  matches(topic: string): boolean {
    let any = false;
    this.match(topic, () => {
      any = true;
    });
    return any;
  }
}

function node<T>(): Node<T> {
  return { children: new Map(), values: new Set() };
}

/** As deep as the longest filter, however many levels the topic has. */
function visit<T>(at: Node<T>, levels: readonly string[], depth: number, wildcards: boolean, found: (value: T) => void): void {
  if (wildcards) at.children.get('#')?.values.forEach(found);
  const level = levels[depth];
  if (level === undefined) {
    at.values.forEach(found);
    return;
  }
  const exact = at.children.get(level);
  // A message may be published to a topic that holds a wildcard character: then it is a level like any other.
  if (exact !== undefined && !(wildcards && (level === '+' || level === '#'))) visit(exact, levels, depth + 1, true, found);
  const any = wildcards ? at.children.get('+') : undefined;
  if (any !== undefined) visit(any, levels, depth + 1, true, found);
}
