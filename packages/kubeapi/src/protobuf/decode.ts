import type { Fields } from '@edge/protocol';
import { badRequest, ApiError } from '../errors.js';
import { MESSAGES } from './messages.js';
import { readFields } from './reader.js';
import { fieldsByNumber } from './rules.js';

export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

const PREFIX = Buffer.from('k8s\0');
const MAX_DEPTH = 60;
const MAX_TEXT_TIME = 253402300799n;

/** True for bytes that begin as Kubernetes Protobuf does. */
export function isProtobuf(body: Buffer): boolean {
  return body.subarray(0, 4).equals(PREFIX);
}

/**
 * Turns a Kubernetes Protobuf body into the object that JSON would have given. Newer kubectl and client-go send
 * built-in kinds this way. Throws UnsupportedMediaType for a kind that is not known, BadRequest for broken bytes.
 */
export function decodeProtobuf(body: Buffer): unknown {
  if (!isProtobuf(body)) throw badRequest('the body does not begin as a Kubernetes Protobuf body does');
  let apiVersion = '';
  let kind = '';
  let raw: Buffer = Buffer.alloc(0);
  for (const { number, value } of readFields(body.subarray(4))) {
    if (number === 1 && typeof value !== 'bigint') {
      for (const inner of readFields(value)) {
        if (inner.number === 1) apiVersion = String(inner.value);
        if (inner.number === 2) kind = String(inner.value);
      }
    }
    if (number === 2 && typeof value !== 'bigint') raw = value;
  }
  if (!Object.hasOwn(MESSAGES, kind)) throw new ApiError('UnsupportedMediaType', `kind ${JSON.stringify(kind)} is not understood as Protobuf: send application/json`);
  // Discovery of the core group has no apiVersion in JSON either.
  return { ...(apiVersion === '' ? {} : { apiVersion }), kind, ...decodeMessage(kind, raw, 0) };
}

function decodeMessage(message: string, bytes: Buffer, depth: number): Fields {
  if (depth > MAX_DEPTH) throw badRequest('the Protobuf body is nested too deeply');
  const rules = fieldsByNumber(message);
  const result: Fields = {};
  for (const { number, value } of readFields(bytes)) {
    const rule = rules.get(number);
    if (rule === undefined) continue;
    if (rule.shape === 'list') {
      const list = (result[rule.name] ??= []) as unknown[];
      list.push(decodeValue(rule.type, value, depth));
    } else if (rule.shape === 'map') {
      const [key, entry] = decodeEntry(rule.type, value, depth);
      if (key !== '__proto__') ((result[rule.name] ??= {}) as Fields)[key] = entry;
    } else {
      const decoded = decodeValue(rule.type, value, depth);
      if (rule.name === '') Object.assign(result, decoded);
      else if (decoded !== undefined && (rule.keepZero || !isZero(decoded))) result[rule.name] = decoded;
    }
  }
  return result;
}

/** Values that a message without the field would have had; every field of a plain Go struct is sent. */
function isZero(value: unknown): boolean {
  return value === '' || value === 0 || value === false;
}

function decodeEntry(type: string, value: bigint | Buffer, depth: number): [string, unknown] {
  let key = '';
  let entry: unknown = type === 's' || type === 'y' ? '' : undefined;
  for (const inner of readFields(bytesOf(value))) {
    if (inner.number === 1) key = bytesOf(inner.value).toString('utf8');
    if (inner.number === 2) entry = decodeValue(type, inner.value, depth);
  }
  return [key, entry];
}

function decodeValue(type: string, value: bigint | Buffer, depth: number): unknown {
  switch (type) {
    case 's': return bytesOf(value).toString('utf8');
    case 'y': return bytesOf(value).toString('base64');
    case 'i': return Number(signed(value));
    case 'b': return signed(value) !== 0n;
    case 'd': return bytesOf(value).length === 8 ? bytesOf(value).readDoubleLE() : 0;
    case 'T': return decodeTime(bytesOf(value), false);
    case 'U': return decodeTime(bytesOf(value), true);
    case 'Q': return firstText(bytesOf(value));
    case 'I': return decodeIntOrText(bytesOf(value));
    case 'J': return decodeJson(bytesOf(value));
    case 'L': return [...readFields(bytesOf(value))].filter((field) => field.number === 1).map((field) => bytesOf(field.value).toString('utf8'));
    default: return decodeMessage(type.slice(1), bytesOf(value), depth + 1);
  }
}

function bytesOf(value: bigint | Buffer): Buffer {
  if (typeof value === 'bigint') throw badRequest('the Protobuf body has a number where a field with a length belongs');
  return value;
}

function signed(value: bigint | Buffer): bigint {
  if (typeof value !== 'bigint') throw badRequest('the Protobuf body has a field with a length where a number belongs');
  return BigInt.asIntN(64, value);
}

/** Undefined for the zero time, which JSON would show as null. */
function decodeTime(bytes: Buffer, micro: boolean): string | undefined {
  const parts = new Map([...readFields(bytes)].map((field) => [field.number, signed(field.value)]));
  const seconds = parts.get(1) ?? 0n;
  if (parts.size === 0 || seconds < 0n || seconds > MAX_TEXT_TIME) return undefined;
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return micro ? `${text}.${String((parts.get(2) ?? 0n) / 1000n).padStart(6, '0')}Z` : `${text}Z`;
}

function firstText(bytes: Buffer): string {
  for (const field of readFields(bytes)) if (field.number === 1) return bytesOf(field.value).toString('utf8');
  return '';
}

function decodeIntOrText(bytes: Buffer): number | string {
  const parts = new Map([...readFields(bytes)].map((field) => [field.number, field.value]));
  if (signed(parts.get(1) ?? 0n) === 1n) return bytesOf(parts.get(3) ?? Buffer.alloc(0)).toString('utf8');
  return Number(signed(parts.get(2) ?? 0n));
}

function decodeJson(bytes: Buffer): unknown {
  const text = firstText(bytes);
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ApiError('BadRequest', 'the Protobuf body holds JSON that cannot be read', {}, { cause });
  }
}
