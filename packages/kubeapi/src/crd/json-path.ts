import { isFields } from '@edge/protocol';

/** From the values reached so far to those that one step further leads to. */
type Step = (value: unknown) => readonly unknown[];

/**
 * Compiles a path as columns of a CustomResourceDefinition have it: `.spec.replicas`, `.metadata.annotations['a.b/c']`, `.items[-1]`,
 * `.items[*].name`, `.status.conditions[?(@.type=="Ready")].status`. The function finds all values, in order.
 * Undefined for a path that is none or uses more of the language than that.
 */
export function compileJsonPath(path: string): ((value: unknown) => readonly unknown[]) | undefined {
  const steps: Step[] = [];
  for (let at = 0; at < path.length; ) {
    const part = path[at] === '[' ? bracketAt(path, at) : fieldAt(path, at);
    if (part === undefined) return undefined;
    steps.push(part.step);
    at = part.end;
  }
  return (value) => steps.reduce<readonly unknown[]>((values, step) => values.flatMap((one) => step(one)), [value]);
}

interface Part {
  readonly step: Step;
  readonly end: number;
}

/** `.name` or `.*`; a backslash takes the next character literally. */
function fieldAt(path: string, from: number): Part | undefined {
  let at = path[from] === '.' ? from + 1 : from;
  // A bracket may follow a dot.
  if (path[at] === '[') return bracketAt(path, at);
  let name = '';
  for (; at < path.length && path[at] !== '.' && path[at] !== '['; at += 1) {
    if (path[at] === '\\') at += 1;
    name += path[at] ?? '';
  }
  if (name === '') return undefined;
  return { step: name === '*' ? everything : field(name), end: at };
}

function bracketAt(path: string, from: number): Part | undefined {
  const end = closingOf(path, from);
  if (end === undefined) return undefined;
  const step = bracketStep(path.slice(from + 1, end).trim());
  return step && { step, end: end + 1 };
}

/** Where the bracket that opens at `from` closes, quotes and inner brackets aside. */
function closingOf(path: string, from: number): number | undefined {
  let depth = 0;
  let quote: string | undefined;
  for (let at = from; at < path.length; at += 1) {
    const char = path[at] as string;
    if (quote !== undefined) quote = char === quote ? undefined : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === '[') depth += 1;
    else if (char === ']' && (depth -= 1) === 0) return at;
  }
  return undefined;
}

function bracketStep(inside: string): Step | undefined {
  if (inside === '*') return everything;
  const name = textLiteral(inside);
  if (name !== undefined) return field(name);
  if (/^-?\d{1,9}$/.test(inside)) return (value) => (Array.isArray(value) ? value.slice(Number(inside)).slice(0, 1) : []) as readonly unknown[];
  const range = /^(-?\d{1,9})?:(-?\d{1,9})?$/.exec(inside);
  if (range !== null) return (value) => (Array.isArray(value) ? value.slice(Number(range[1] ?? 0), range[2] === undefined ? undefined : Number(range[2])) : []) as readonly unknown[];
  const condition = /^\?\(\s*@([^=!<>]*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.*?))?\s*\)$/s.exec(inside);
  return condition === null ? undefined : filter(condition[1] ?? '', condition[2], condition[3] ?? '');
}

const field = (name: string): Step => (value) => (isFields(value) && Object.hasOwn(value, name) ? [value[name]] : []);

const everything: Step = (value) => (Array.isArray(value) ? (value as readonly unknown[]) : isFields(value) ? Object.values(value) : []);

function filter(path: string, operator: string | undefined, literal: string): Step | undefined {
  const find = compileJsonPath(path);
  const wanted = literalOf(literal);
  if (find === undefined || (operator !== undefined && wanted === undefined)) return undefined;
  const holds = (item: unknown): boolean => {
    const [found] = find(item);
    return operator === undefined ? found !== undefined : found !== undefined && compares(found, operator, wanted as string | number | boolean);
  };
  return (value) => (Array.isArray(value) ? value.filter(holds) : []) as readonly unknown[];
}

function compares(found: unknown, operator: string, wanted: string | number | boolean): boolean {
  if (operator === '==') return found === wanted;
  if (operator === '!=') return found !== wanted;
  if (typeof found !== typeof wanted || (typeof found !== 'number' && typeof found !== 'string')) return false;
  switch (operator) {
    case '<': return found < wanted;
    case '<=': return found <= wanted;
    case '>': return found > wanted;
    default: return found >= wanted;
  }
}

function literalOf(text: string): string | number | boolean | undefined {
  if (text === 'true' || text === 'false') return text === 'true';
  return textLiteral(text) ?? (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined);
}

const textLiteral = (text: string): string | undefined => /^'([^']*)'$/.exec(text)?.[1] ?? /^"([^"]*)"$/.exec(text)?.[1];
