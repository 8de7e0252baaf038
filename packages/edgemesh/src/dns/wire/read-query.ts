import { Malformed, readName } from './names.js';
import { Rcodes, Types, type Query } from './types.js';

export const HEADER = 12;

/** What is refused without a look at the question. */
export interface Refusal {
  readonly id: number;
  readonly rcode: number;
  readonly recursionDesired: boolean;
}

export type ReadQuery = { readonly query: Query } | { readonly refusal: Refusal } | undefined;

/** Reads a question; undefined for what is not to be answered at all: too short, or itself an answer, which would go round for ever. */
export function readQuery(bytes: Buffer): ReadQuery {
  if (bytes.length < HEADER) return undefined;
  const [id, flags] = [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
  if ((flags & 0x8000) !== 0) return undefined;
  const recursionDesired = (flags & 0x0100) !== 0;
  const refuse = (rcode: number): ReadQuery => ({ refusal: { id, rcode, recursionDesired } });
  if ((flags & 0x7800) !== 0) return refuse(Rcodes.notImp);
  if (bytes.readUInt16BE(4) !== 1) return refuse(Rcodes.formErr);
  try {
    const { name, end } = readName(bytes, HEADER);
    if (end + 4 > bytes.length) return refuse(Rcodes.formErr);
    const others = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
    const found = readEdns(bytes, end + 4, others);
    if (found.version !== 0) return refuse(found.version < 0 ? Rcodes.formErr : Rcodes.badVersion);
    return {
      query: {
        id, recursionDesired, checkingDisabled: (flags & 0x0010) !== 0, name, type: bytes.readUInt16BE(end), class: bytes.readUInt16BE(end + 2),
        question: Buffer.from(bytes.subarray(HEADER, end + 4)), edns: found.edns,
      },
    };
  } catch (error) {
    if (error instanceof Malformed) return refuse(Rcodes.formErr);
    throw error;
  }
}

/** @returns version -1 for what is not as it should be */
function readEdns(bytes: Buffer, offset: number, records: number): { readonly version: number; readonly edns: Query['edns'] } {
  let at = offset;
  let found: { version: number; edns: Query['edns'] } = { version: 0, edns: undefined };
  for (let left = records; left > 0; left -= 1) {
    const { end, name } = readName(bytes, at);
    if (end + 10 > bytes.length) throw new Malformed('it breaks off');
    at = end + 10 + bytes.readUInt16BE(end + 8);
    if (at > bytes.length) throw new Malformed('it breaks off');
    if (bytes.readUInt16BE(end) !== Types.OPT) continue;
    // There is one, of the root (RFC 6891 6.1.1).
    if (found.edns !== undefined || name.length > 0) return { version: -1, edns: undefined };
    found = { version: bytes.readUInt8(end + 5), edns: { payload: bytes.readUInt16BE(end + 2), wantsDnssec: (bytes.readUInt8(end + 6) & 0x80) !== 0 } };
  }
  return found;
}
