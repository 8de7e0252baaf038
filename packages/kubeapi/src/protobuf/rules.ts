import { MESSAGES } from './messages.js';

/** One field of a message. */
export interface FieldRule {
  /** Name in JSON; empty for a message whose fields JSON shows as fields of the parent. */
  name: string;
  shape: 'single' | 'list' | 'map';
  /** A letter of the table, or `M` and the name of a message. */
  type: string;
  keepZero: boolean;
}

/** The table is constant, so what has been read of it is kept. */
const byNumber = new Map<string, ReadonlyMap<number, FieldRule>>();
const byName = new Map<string, ReadonlyMap<string, FieldRule>>();

/** The fields of a message by number; empty for an unknown message. */
export function fieldsByNumber(message: string): ReadonlyMap<number, FieldRule> {
  let rules = byNumber.get(message);
  if (rules === undefined) {
    const text = Object.hasOwn(MESSAGES, message) ? MESSAGES[message] ?? '' : '';
    rules = new Map(text.split(' ').filter((field) => field !== '').map(parseField));
    byNumber.set(message, rules);
  }
  return rules;
}

/** The fields of a message by JSON name, those of inlined messages included. */
export function fieldsByName(message: string): ReadonlyMap<string, FieldRule> {
  let rules = byName.get(message);
  if (rules === undefined) {
    rules = new Map([...fieldsByNumber(message).values()].flatMap((rule) => (rule.name === '' ? [...fieldsByName(rule.type.slice(1))] : [[rule.name, rule] as const])));
    byName.set(message, rules);
  }
  return rules;
}

function parseField(text: string): [number, FieldRule] {
  const [number = '', name = '', code = ''] = text.split(':');
  const keepZero = code.endsWith('!');
  const shape = code.startsWith('*') ? 'list' : code.startsWith('%') ? 'map' : 'single';
  return [Number(number), { name, shape, type: code.slice(shape === 'single' ? 0 : 1, keepZero ? -1 : undefined), keepZero }];
}
