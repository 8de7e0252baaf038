import { ApiError, badRequest } from '../errors.js';

/** Parsing YAML takes a hundred times as long as JSON, and nobody else is served meanwhile. Programs send JSON. */
const LONGEST = 256 * 1024;
/** What aliases may make of it. */
const LONGEST_EXPANDED = 3 * 1024 * 1024;

/**
 * Parses a body that says it is YAML. @throws ApiError BadRequest, RequestEntityTooLarge
 * Most such bodies are JSON, which is YAML as well: kubectl and client-go send apply patches so.
 */
export async function parseYaml(body: Buffer, deepest: number): Promise<unknown> {
  const text = body.toString('utf8');
  const json = jsonOf(text);
  if (json !== undefined) return json;
  if (body.length > LONGEST) throw new ApiError('RequestEntityTooLarge', `YAML may have ${LONGEST} bytes, the body has ${body.length}: send JSON`);
  if (isNestedDeeper(text, deepest)) throw badRequest(`the body is nested deeper than ${deepest} levels`);
  // Loaded when first needed: hardly any client sends YAML.
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    // The parser compares each key with all others of its map; of two that are the same the last one counts, as in JSON.
    value = parse(text, { maxAliasCount: 100, uniqueKeys: false, prettyErrors: false, logLevel: 'error' });
  } catch (cause) {
    throw new ApiError('BadRequest', `the body is not YAML: ${(cause as Error).message}`, {}, { cause });
  }
  if (text.includes('*') && writtenOut(value) > LONGEST_EXPANDED) throw badRequest(`the body has more than ${LONGEST_EXPANDED} bytes when its aliases are written out`);
  return value;
}

/** Length of the value as JSON. @throws ApiError BadRequest for one that holds itself */
function writtenOut(value: unknown): number {
  try {
    return (JSON.stringify(value) ?? '').length;
  } catch (cause) {
    throw new ApiError('BadRequest', 'an alias in the body names what it is part of', {}, { cause });
  }
}

function jsonOf(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Whether the text could be nested deeper than that, told without parsing: the parser needs time that grows with the square of
 * the depth, and can take the process down. Brackets within texts count, which does no harm where they are closed again.
 */
export function isNestedDeeper(text: string, limit: number): boolean {
  const indents: number[] = [];
  let flow = 0;
  for (const line of text.split('\n')) {
    const { indent, indicators } = lead(line);
    if (indicators > limit) return true;
    if (indent < line.length) {
      while (indents.length > 0 && (indents.at(-1) as number) >= indent) indents.pop();
      indents.push(indent);
      // Sequences may stand at the indentation of their key, so a level may count for two.
      if (indents.length > limit) return true;
    }
    for (const char of line) {
      if (char === '[' || char === '{') flow += 1;
      else if ((char === ']' || char === '}') && flow > 0) flow -= 1;
      if (flow > limit) return true;
    }
  }
  return false;
}

/** How far a line is indented, and how many `- `, `? ` and `: ` it begins with. */
function lead(line: string): { indent: number; indicators: number } {
  let indent = 0;
  while (line[indent] === ' ') indent += 1;
  let indicators = 0;
  for (let at = indent; at < line.length; at += 1) {
    const char = line[at] as string;
    if ('-?:'.includes(char) && [' ', '\t', '\r', undefined].includes(line[at + 1])) indicators += 1;
    else if (char !== ' ' && char !== '\t') break;
  }
  return { indent, indicators };
}
