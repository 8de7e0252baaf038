const NAMED: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** A string as Go's `%q` prints it. Keys in the database are made of it, so every byte counts. */
export function goQuote(text: string): string {
  let out = '"';
  for (const character of text) out += NAMED[character] ?? (PRINTABLE.test(character) ? character : escapeSequence(character));
  return `${out}"`;
}

function escapeSequence(character: string): string {
  const point = character.codePointAt(0) as number;
  if (point < 0x20 || point === 0x7f) return `\\x${hex(point, 2)}`;
  // Half a surrogate pair is no character to Go: its JSON reader puts the replacement character, which is printable.
  if (point >= 0xd800 && point <= 0xdfff) return '\ufffd';
  return point < 0x10000 ? `\\u${hex(point, 4)}` : `\\U${hex(point, 8)}`;
}

function hex(point: number, digits: number): string {
  return point.toString(16).padStart(digits, '0');
}
