import { shortestFloat } from '@edge/protocol/dmi';
import { MapperError, MapperErrors } from '../errors.js';

/** The types of a property that a driver reads and writes. The CRD's STREAM is not one: streams do not go through twins. */
export const VALUE_TYPES = ['INT', 'FLOAT', 'DOUBLE', 'STRING', 'BOOLEAN', 'BYTES'] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

/**
 * What a driver reads and writes. INT: number, or bigint beyond 2^53; FLOAT and DOUBLE: number; STRING: string;
 * BOOLEAN: boolean; BYTES: Uint8Array. A driver may also give the text of a value.
 */
export type Value = number | bigint | string | boolean | Uint8Array;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * The value that a text of a twin stands for. BYTES are pairs of hexadecimal digits, the one form that twins can carry.
 * @throws MapperError `mapper.bad-value`
 */
export function parseValue(type: ValueType, text: string): Value {
  switch (type) {
    case 'INT':
      return wholeNumber(text);
    case 'FLOAT':
    case 'DOUBLE': {
      const number = DECIMAL.test(text) ? Number(text) : NaN;
      if (!Number.isFinite(number)) throw bad(type, text, 'a decimal number');
      return number;
    }
    case 'BOOLEAN':
      if (text !== 'true' && text !== 'false') throw bad(type, text, 'true or false');
      return text === 'true';
    case 'BYTES':
      if (!/^([0-9a-f]{2})*$/i.test(text)) throw bad(type, text, 'pairs of hexadecimal digits');
      return new Uint8Array(Buffer.from(text, 'hex'));
    case 'STRING':
      return text;
  }
}

/**
 * A value as the text that twins carry: never an exponent, which twins refuse; FLOAT with the digits that 32 bits hold.
 * @throws MapperError `mapper.bad-value`
 */
export function formatValue(type: ValueType, value: Value): string {
  if (typeof value === 'string') return type === 'STRING' ? value : formatValue(type, parseValue(type, value));
  switch (type) {
    case 'INT':
      if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) return String(wholeNumber(BigInt(value).toString()));
      break;
    case 'FLOAT':
    case 'DOUBLE':
      if (typeof value === 'bigint') return value.toString();
      if (typeof value === 'number' && Number.isFinite(value)) return withoutExponent(type === 'FLOAT' && Number.isFinite(Math.fround(value)) ? shortestFloat(Math.fround(value)) : value);
      break;
    case 'BOOLEAN':
      if (typeof value === 'boolean') return String(value);
      break;
    case 'BYTES':
      if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
      break;
    case 'STRING':
      return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);
  }
  throw bad(type, value, EXPECTED[type]);
}

/** True for a text that every EdgeCore takes as a twin's value; others are refused, and only MQTT clients learn of it. */
export function fitsTwin(text: string): boolean {
  return /^[a-zA-Z0-9\-_.,:/@#]{0,512}$/.test(text);
}

const EXPECTED: Record<ValueType, string> = {
  INT: 'a whole number of 64 bits',
  FLOAT: 'a finite number',
  DOUBLE: 'a finite number',
  STRING: 'a text',
  BOOLEAN: 'a boolean',
  BYTES: 'a Uint8Array',
};

function wholeNumber(text: string): number | bigint {
  if (!/^[+-]?\d+$/.test(text)) throw bad('INT', text, EXPECTED.INT);
  const number = BigInt(text.replace('+', ''));
  if (number < INT64_MIN || number > INT64_MAX) throw bad('INT', text, EXPECTED.INT);
  const small = Number(number);
  return Number.isSafeInteger(small) ? small : number;
}

/** 1e-7 as 0.0000001 and 1e21 with all its digits. */
function withoutExponent(value: number): string {
  const text = String(Object.is(value, -0) ? 0 : value);
  const [, sign = '', first = '', rest = '', exponent = '0'] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  if (first === '') return text;
  const digits = first + rest;
  const point = 1 + Number(exponent);
  return point <= 0 ? `${sign}0.${'0'.repeat(-point)}${digits}` : `${sign}${digits.padEnd(point, '0')}`;
}

function bad(type: ValueType, value: Value, expected: string): MapperError {
  const shown = typeof value === 'string' ? `"${value}"` : String(value);
  return new MapperError(MapperErrors.badValue, `${shown.slice(0, 100)} is no ${type}: expected ${expected}`);
}
