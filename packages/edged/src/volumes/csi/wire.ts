import { edgedError } from '../../errors.js';

/** Protocol Buffers, as far as the services of CSI drivers need them. */

/** `number`: int32, int64 up to 2^53, bool as 0 and 1; `map`: of texts; an array of names: an enumeration. */
export type FieldType = 'string' | 'bool' | 'number' | 'map' | readonly string[] | { readonly message: Schema };

export interface Field {
  readonly number: number;
  readonly type: FieldType;
  readonly repeated?: true;
}

/** Fields of a message by their names in the `.proto` file. */
export type Schema = Readonly<Record<string, Field>>;

/** A message: absent members have their default value. */
export type Fields = Readonly<Record<string, unknown>>;

export function encode(schema: Schema, message: Fields): Buffer {
  const parts: Buffer[] = [];
  for (const [name, field] of Object.entries(schema)) {
    const value = message[name];
    if (value === undefined || value === null) continue;
    if (field.type === 'map') for (const [key, text] of Object.entries(value as Record<string, string>)) parts.push(delimited(field.number, encode(ENTRY, { key, value: text })));
    else for (const one of field.repeated ? (value as unknown[]) : [value]) parts.push(encodeOne(field, one));
  }
  return Buffer.concat(parts);
}

const ENTRY: Schema = { key: { number: 1, type: 'string' }, value: { number: 2, type: 'string' } };

function encodeOne({ number, type, repeated }: Field, value: unknown): Buffer {
  if (typeof type === 'object' && 'message' in type) return delimited(number, encode(type.message, value as Fields));
  if (type === 'string') return value === '' && !repeated ? Buffer.alloc(0) : delimited(number, Buffer.from(value as string));
  const plain = Number(value);
  return plain === 0 && !repeated ? Buffer.alloc(0) : Buffer.concat([varint(number * 8), varint(plain)]);
}

function delimited(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

/**
 * Fields that are not in the schema are passed over.
 * @throws EdgeError `edged.bad-answer` for bytes that are no message
 */
export function decode(schema: Schema, bytes: Buffer): Fields {
  const message: Record<string, unknown> = {};
  const names = new Map(Object.entries(schema).map(([name, field]) => [field.number, name]));
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const tag = readVarint(bytes, cursor);
    const name = names.get(Math.floor(tag / 8));
    const raw = readValue(bytes, cursor, tag % 8);
    if (name === undefined || raw === undefined) continue;
    const { type, repeated } = schema[name] as Field;
    if (type === 'map') {
      const { key = '', value = '' } = decode(ENTRY, asBytes(raw));
      message[name] = { ...(message[name] as object), [key as string]: value };
    } else {
      const value = decodeOne(type, raw);
      message[name] = repeated ? [...((message[name] as unknown[] | undefined) ?? []), value] : value;
    }
  }
  return message;
}

function decodeOne(type: Exclude<FieldType, 'map'>, raw: Buffer | number): unknown {
  if (typeof type === 'object' && 'message' in type) return decode(type.message, asBytes(raw));
  if (type === 'string') return asBytes(raw).toString('utf8');
  if (type === 'bool') return raw !== 0;
  return raw;
}

function readValue(bytes: Buffer, cursor: { at: number }, wire: number): Buffer | number | undefined {
  if (wire === 0) return readVarint(bytes, cursor);
  const length = wire === 2 ? readVarint(bytes, cursor) : wire === 1 ? 8 : wire === 5 ? 4 : Infinity;
  const end = cursor.at + length;
  if (end > bytes.length) throw malformed();
  const content = bytes.subarray(cursor.at, end);
  cursor.at = end;
  return wire === 2 ? content : undefined;
}

function readVarint(bytes: Buffer, cursor: { at: number }): number {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = bytes[cursor.at];
    if (byte === undefined) break;
    cursor.at += 1;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return Number(BigInt.asIntN(64, value));
  }
  throw malformed();
}

function asBytes(raw: Buffer | number): Buffer {
  if (typeof raw === 'number') throw malformed();
  return raw;
}

function malformed(): Error {
  return edgedError('edged.bad-answer', 'the answer of a CSI driver is no message of its protocol');
}

/** A message from its JSON form: names in camel case, large numbers as texts, enumerations by name. What is not known is left out. */
export function fromJson(schema: Schema, json: unknown): Fields {
  if (typeof json !== 'object' || json === null) throw edgedError('edged.bad-answer', 'a volume operation carries no request');
  const message: Record<string, unknown> = {};
  for (const [name, { type, repeated }] of Object.entries(schema)) {
    const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const value = (json as Fields)[camel] ?? (json as Fields)[name];
    if (value === undefined || value === null) continue;
    message[name] = repeated ? (value as unknown[]).map((one) => oneFromJson(type, one)) : oneFromJson(type, value);
  }
  return message;
}

function oneFromJson(type: FieldType, value: unknown): unknown {
  if (Array.isArray(type)) return typeof value === 'string' ? Math.max(0, type.indexOf(value)) : value;
  if (typeof type === 'object' && 'message' in type) return fromJson(type.message, value);
  return type === 'number' ? Number(value) : value;
}
