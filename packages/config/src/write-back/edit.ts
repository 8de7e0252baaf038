import { isDeepStrictEqual } from 'node:util';
import { isCollection, parseDocument, type Document, type ParsedNode } from 'yaml';
import { tooDeepAt } from '../yaml/limits.js';
import { rebuild } from './rebuild.js';
import { splice } from './splice.js';

/** A new value for one key: `{ path: 'modules.edgeHub.token', value: '' }`. Keys are found in any spelling of their case. */
export interface Change {
  readonly path: string;
  readonly value: unknown;
}

/**
 * The text with the changes made; the same text when it already says so; `undefined` when it is no YAML mapping or the
 * change cannot be made. Every change is verified by reading the result again.
 */
export function edit(text: string, changes: readonly Change[]): string | undefined {
  let current = text;
  for (const change of changes) {
    const next = safely(() => editOne(current, change));
    if (next === undefined) return undefined;
    current = next;
  }
  return current;
}

/** The parser throws on too many aliases and on too much nesting; both mean that this file is not for us to edit. */
function safely(make: () => string | undefined): string | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof ReferenceError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function editOne(text: string, { path, value }: Change): string | undefined {
  const document = parse(text);
  if (document === undefined) return undefined;
  const keys = actualKeys(document, path.split('.'));
  const before: unknown = data(document);
  const after = withValue(before, keys, value);
  if (after === undefined) return undefined;
  if (isDeepStrictEqual(before, after)) return text;
  // By hand first, for that leaves every other byte alone; the parser's own printing only where that does not come out right.
  for (const make of [() => splice(text, document, keys, value), () => rebuild(document, keys, value)]) {
    const candidate = make();
    const read = candidate === undefined ? undefined : parse(candidate);
    if (read !== undefined && isDeepStrictEqual(data(read), after)) return candidate;
  }
  return undefined;
}

const data = (document: Document): unknown => document.toJS({ maxAliasCount: 1000 }) as unknown;

/** The data with one value set; `undefined` when something that is no section stands in the way. */
function withValue(before: unknown, keys: readonly string[], value: unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  const section = before ?? {};
  if (typeof section !== 'object' || Array.isArray(section)) return undefined;
  const inner = withValue((section as Record<string, unknown>)[key], rest, value);
  return inner === undefined ? undefined : { ...section, [key]: inner };
}

function parse(text: string): Document<ParsedNode> | undefined {
  if (tooDeepAt(text) !== undefined) return undefined;
  const document = parseDocument(text, { version: '1.1', uniqueKeys: false, prettyErrors: false, strict: false, logLevel: 'silent' });
  if (document.errors.length > 0) return undefined;
  if (document.contents !== null && !isCollection(document.contents)) return undefined;
  return document as Document<ParsedNode>;
}

/** The path in the file's own spelling, as far as it exists there. */
function actualKeys(document: Document, path: readonly string[]): readonly string[] {
  const keys: string[] = [];
  for (const wanted of path) {
    const parent = keys.length === 0 ? document.contents : document.getIn(keys, true);
    const present = isCollection(parent) ? parent.items.map((item) => String((item as { key?: unknown }).key)) : [];
    keys.push(present.includes(wanted) ? wanted : (present.find((key) => key.toLowerCase() === wanted.toLowerCase()) ?? wanted));
  }
  return keys;
}
