import { Lexer } from 'yaml';

/** A real file has some 10 kB. The limit bounds memory and time of everything that follows. */
export const MAX_BYTES = 128 * 1024;
export const MAX_DEPTH = 64;
/** Values in the document once all aliases are written out. */
export const MAX_VALUES = 100_000;

const SCALAR_FOLLOWS = '\x1f';

/**
 * The line of the first value that is nested too deeply on one line or in brackets, found before the parser
 * proper (which recurses) sees the text. Nesting by indentation is caught later: it needs square space.
 */
export function tooDeepAt(text: string): number | undefined {
  let brackets = 0;
  let marks = 0;
  let line = 1;
  let scalar = false;
  for (const token of new Lexer().lex(text)) {
    const isText = scalar;
    scalar = token === SCALAR_FOLLOWS;
    if (token.includes('\n')) marks = 0;
    if (!isText) {
      if (token === '[' || token === '{') brackets += 1;
      else if (token === ']' || token === '}') brackets -= 1;
      else if (token === '-' || token === '?') marks += 1;
      if (brackets > MAX_DEPTH || marks > MAX_DEPTH) return line;
    }
    line += newlines(token);
  }
  return undefined;
}

function newlines(token: string): number {
  let count = 0;
  for (let at = token.indexOf('\n'); at !== -1; at = token.indexOf('\n', at + 1)) count += 1;
  return count;
}
