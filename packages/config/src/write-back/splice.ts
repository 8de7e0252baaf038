import { isMap, isScalar, stringify, type Document, type Pair, type Scalar, type YAMLMap } from 'yaml';

/**
 * Puts one scalar into the text, by character positions: over an existing scalar, or as a new line of a section that is
 * written by indentation. `undefined` when it is not as simple as that.
 */
export function splice(text: string, document: Document, keys: readonly string[], value: unknown): string | undefined {
  const last = keys.at(-1);
  const parent = keys.length === 1 ? document.contents : document.getIn(keys.slice(0, -1), true);
  if (last === undefined || !isMap(parent) || typeof value === 'object') return undefined;
  // In YAML 1.1 notation, where the text "yes" needs quotes: upstream reads the file too.
  const written = stringify(value, { version: '1.1', lineWidth: 0 }).trimEnd();
  if (written.includes('\n')) return undefined;
  const pair = parent.items.findLast((item) => String(item.key) === last);
  return pair === undefined ? insertLine(text, parent, `${last}: ${written}`) : replaceValue(text, pair, written);
}

function replaceValue(text: string, pair: Pair, written: string): string | undefined {
  const node = pair.value;
  if (!isScalar(node) || !node.range || node.anchor !== undefined || node.tag !== undefined || isBlock(node)) return undefined;
  const [start, end] = node.range;
  // "key:" without a value, and perhaps without the blank that has to follow the colon.
  const gap = start > 0 && text[start - 1] === ':' ? ' ' : '';
  return `${text.slice(0, start)}${gap}${written}${text.slice(end)}`;
}

const isBlock = (node: Scalar): boolean => node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';

/** After the first key of the section if that fits on its line, so that the new line stands near the top; else before it. */
function insertLine(text: string, parent: YAMLMap, entry: string): string | undefined {
  const first = parent.items[0];
  if (parent.flow === true || first === undefined || !isScalar(first.key) || !first.key.range) return undefined;
  const at = first.key.range[0];
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const indent = text.slice(lineStart, at);
  if (indent.trim() !== '') return undefined;
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const value = first.value;
  const lineEnd = text.indexOf('\n', at);
  const oneLine = isScalar(value) && !isBlock(value) && value.range && (lineEnd === -1 || value.range[1] <= lineEnd);
  if (!oneLine) return `${text.slice(0, lineStart)}${indent}${entry}${eol}${text.slice(lineStart)}`;
  return lineEnd === -1 ? `${text}${eol}${indent}${entry}${eol}` : `${text.slice(0, lineEnd + 1)}${indent}${entry}${eol}${text.slice(lineEnd + 1)}`;
}
