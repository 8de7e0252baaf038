import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Any } from './generated/google/protobuf/any.js';

/** A value of `configData` that the Device Mapper Interface can carry. */
export type ConfigValue = string | boolean | number;

const PREFIX = 'type.googleapis.com/google.protobuf.';

/**
 * A value as a wrapper message. Whole numbers that a float of 32 bits cannot hold travel as Int64Value, which mappers
 * read; all others as FloatValue, as the Go agent sends them.
 */
export function anyOf(value: ConfigValue): Any {
  const writer = new BinaryWriter();
  // A field that holds its default is left out, as proto3 has it.
  if (typeof value === 'string') {
    if (value !== '') writer.uint32(10).string(value);
    return wrapper('StringValue', writer);
  }
  if (typeof value === 'boolean') {
    if (value) writer.uint32(8).bool(value);
    return wrapper('BoolValue', writer);
  }
  if (Number.isSafeInteger(value) && Math.fround(value) !== value) return wrapper('Int64Value', writer.uint32(8).int64(value));
  if (value !== 0) writer.uint32(13).float(value);
  return wrapper('FloatValue', writer);
}

function wrapper(name: string, writer: BinaryWriter): Any {
  return { typeUrl: `${PREFIX}${name}`, value: Buffer.from(writer.finish()) };
}

const READERS: Readonly<Record<string, (reader: BinaryReader) => ConfigValue>> = {
  StringValue: (reader) => reader.string(),
  BoolValue: (reader) => reader.bool(),
  FloatValue: (reader) => shortestFloat(reader.float()),
  DoubleValue: (reader) => reader.double(),
  Int32Value: (reader) => reader.int32(),
  Int64Value: (reader) => Number(reader.int64()),
  UInt32Value: (reader) => reader.uint32(),
  UInt64Value: (reader) => Number(reader.uint64()),
};
const DEFAULTS: Readonly<Record<string, ConfigValue>> = { StringValue: '', BoolValue: false };

/**
 * The value in a wrapper message; undefined when the message is of another type.
 * @throws Error when the bytes are no such message
 */
export function valueOf({ typeUrl, value }: Any): ConfigValue | undefined {
  const name = typeUrl.startsWith(PREFIX) ? typeUrl.slice(PREFIX.length) : '';
  const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  if (!read) return undefined;
  const reader = new BinaryReader(value);
  let result: ConfigValue = DEFAULTS[name] ?? 0;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) result = read(reader);
    else reader.skip(tag & 7);
  }
  return result;
}

/** The shortest decimal that is the same float of 32 bits: 0.1 rather than 0.10000000149011612. */
export function shortestFloat(value: number): number {
  for (let digits = 1; digits <= 9; digits += 1) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}
