import { isFields, type Fields } from '@edge/protocol';
import { MESSAGES } from '../protobuf/messages.js';
import { fieldsByName, type FieldRule } from '../protobuf/rules.js';

/** What a look at an object of a built-in kind brings to light. */
export interface FieldFindings {
  /** Paths of fields that the kind does not have. They have been removed. */
  unknown: string[];
  /** Fields with the wrong JSON type, in words. */
  wrong: string[];
}

/**
 * Compares an object with the fields its kind has, as the typed decoder of an API server would, and removes what it
 * does not know. Kinds that are not in the table pass as they are. Changes `object`.
 */
export function checkFieldTypes(kind: string, object: Fields): FieldFindings {
  const findings: FieldFindings = { unknown: [], wrong: [] };
  if (Object.hasOwn(MESSAGES, kind)) walk(kind, object, '', findings, ['apiVersion', 'kind']);
  return findings;
}

function walk(message: string, object: Fields, path: string, findings: FieldFindings, also: readonly string[] = []): void {
  const rules = fieldsByName(message);
  for (const [name, value] of Object.entries(object)) {
    const at = path === '' ? name : `${path}.${name}`;
    const rule = rules.get(name);
    if (rule === undefined) {
      if (also.includes(name)) continue;
      findings.unknown.push(at);
      delete object[name];
    } else {
      checkField(rule, value, at, findings);
    }
  }
}

function checkField(rule: FieldRule, value: unknown, path: string, findings: FieldFindings): void {
  if (value === null) return;
  if (rule.shape === 'list') {
    if (!Array.isArray(value)) findings.wrong.push(`${path} must be a list, is ${nameOf(value)}`);
    else value.forEach((item, i) => checkValue(rule.type, item, `${path}[${i}]`, findings));
  } else if (rule.shape === 'map') {
    if (!isFields(value)) findings.wrong.push(`${path} must be an object, is ${nameOf(value)}`);
    else for (const [key, item] of Object.entries(value)) checkValue(rule.type, item, `${path}[${key}]`, findings);
  } else {
    checkValue(rule.type, value, path, findings);
  }
}

function checkValue(type: string, value: unknown, path: string, findings: FieldFindings): void {
  if (value === null || type === 'J') return;
  if (type.startsWith('M')) {
    if (isFields(value)) walk(type.slice(1), value, path, findings);
    else findings.wrong.push(`${path} must be an object, is ${nameOf(value)}`);
    return;
  }
  const expected = EXPECTED[type];
  if (expected !== undefined && !expected.test(value)) findings.wrong.push(`${path} must be ${expected.words}, is ${nameOf(value)}`);
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isWhole = (value: unknown): boolean => Number.isInteger(value);

const EXPECTED: Readonly<Record<string, { words: string; test: (value: unknown) => boolean }>> = {
  s: { words: 'text', test: isText },
  y: { words: 'text in base64', test: isText },
  i: { words: 'a whole number', test: isWhole },
  b: { words: 'true or false', test: (value) => typeof value === 'boolean' },
  d: { words: 'a number', test: (value) => typeof value === 'number' },
  T: { words: 'a time as text', test: isText },
  U: { words: 'a time as text', test: isText },
  Q: { words: 'a quantity', test: (value) => isText(value) || typeof value === 'number' },
  I: { words: 'a whole number or text', test: (value) => isText(value) || isWhole(value) },
  L: { words: 'a list of text', test: (value) => Array.isArray(value) && value.every(isText) },
};

function nameOf(value: unknown): string {
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `${typeof value} ${JSON.stringify(value)}`;
}
