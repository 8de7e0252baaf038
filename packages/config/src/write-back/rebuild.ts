import { isAlias, isMap, isNode, isScalar, type Document, type Node, type YAMLMap } from 'yaml';

/**
 * Sets a value in the parser's tree, making the sections above it as needed, and prints the whole. Comments and order
 * stay, blanks may not. `undefined` when something that is no section stands in the way.
 */
export function rebuild(document: Document, keys: readonly string[], value: unknown): string | undefined {
  const copy = document.clone();
  copy.contents ??= emptySection(copy);
  let section: Node = copy.contents;
  for (const key of keys.slice(0, -1)) {
    if (!isMap(section)) return undefined;
    section = inner(copy, section, key);
  }
  if (!isMap(section)) return undefined;
  put(section, keys.at(-1) ?? '', copy.createNode(value) as Node, copy);
  return copy.toString({ lineWidth: 0 });
}

function inner(document: Document, section: YAMLMap, key: string): Node {
  const present = section.items.findLast((item) => String(item.key) === key)?.value;
  if (isAlias(present) || (isNode(present) && !(isScalar(present) && (present.value ?? '') === ''))) return present;
  const made = emptySection(document);
  put(section, key, made, document);
  return made;
}

function put(section: YAMLMap, key: string, node: Node, document: Document): void {
  const pair = section.items.findLast((item) => String(item.key) === key);
  if (pair === undefined) {
    section.items.push(document.createPair(key, node));
    return;
  }
  if (isNode(pair.value)) {
    // A comment behind a single value goes before the section that takes its place.
    if (pair.value.comment) node[isMap(node) ? 'commentBefore' : 'comment'] = pair.value.comment;
    if (pair.value.commentBefore) node.commentBefore = pair.value.commentBefore;
  }
  pair.value = node;
}

const emptySection = (document: Document): YAMLMap => document.createNode({}) as YAMLMap;
