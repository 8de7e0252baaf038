/**
 * What a plain (unquoted) scalar means to the YAML 1.1 parser that upstream uses: `yes` and `on` are true,
 * `0777` is octal, `1_000` is a number; dates and `1:30` stay strings.
 */
export function plainScalar(text: string): string | number | boolean | null {
  if (NULLS.has(text)) return null;
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  if (text.length > 64 || !/^[-+.\d]/.test(text)) return text;
  const special = SPECIAL[text.toLowerCase()];
  if (special !== undefined) return special;
  const digits = text.replaceAll('_', '');
  return integer(digits) ?? (/^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(digits) ? Number(digits) : text);
}

const words = (...list: string[]): ReadonlySet<string> =>
  new Set(list.flatMap((word) => [word, word.toUpperCase(), word.charAt(0).toUpperCase() + word.slice(1)]));

const NULLS: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL']);
const TRUE = words('y', 'yes', 'true', 'on');
const FALSE = words('n', 'no', 'false', 'off');
const SPECIAL: Readonly<Record<string, number>> = { '.nan': NaN, '.inf': Infinity, '+.inf': Infinity, '-.inf': -Infinity };

function integer(text: string): number | undefined {
  const match = /^([-+]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.exec(text);
  if (match === null) return undefined;
  const body = match[2] ?? '';
  const value = Number(/^0[0-7]/.test(body) ? `0o${body.slice(1)}` : body);
  return match[1] === '-' && value !== 0 ? -value : value;
}
