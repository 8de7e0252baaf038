import { badRequest } from '../errors.js';

/** One field as it stands on the wire: a number for varints, bytes for everything with a length. */
export interface WireField {
  number: number;
  value: bigint | Buffer;
}

/** Walks over the fields of a message. Throws BadRequest for anything that is not well-formed. */
export function* readFields(bytes: Buffer): Generator<WireField> {
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const tag = Number(readVarint(bytes, cursor));
    const number = Math.floor(tag / 8);
    if (number === 0) throw badRequest('the Protobuf body has a field without number');
    switch (tag % 8) {
      case 0:
        yield { number, value: readVarint(bytes, cursor) };
        break;
      case 1:
        yield { number, value: take(bytes, cursor, 8) };
        break;
      case 2:
        yield { number, value: take(bytes, cursor, Number(readVarint(bytes, cursor))) };
        break;
      case 5:
        yield { number, value: take(bytes, cursor, 4) };
        break;
      default:
        throw badRequest('the Protobuf body has a field of unknown wire type');
    }
  }
}

function readVarint(bytes: Buffer, cursor: { at: number }): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = bytes[cursor.at];
    if (byte === undefined) break;
    cursor.at += 1;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw badRequest('the Protobuf body ends within a number');
}

function take(bytes: Buffer, cursor: { at: number }, length: number): Buffer {
  const end = cursor.at + length;
  if (end > bytes.length) throw badRequest('the Protobuf body ends within a field');
  const part = bytes.subarray(cursor.at, end);
  cursor.at = end;
  return part;
}
