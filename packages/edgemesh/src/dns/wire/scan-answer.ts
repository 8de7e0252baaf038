import { addressOfBytes } from './address-bytes.js';
import { Malformed, readName, type Name } from './names.js';
import { HEADER } from './read-query.js';
import { Rcodes, Types, type DnsRecord } from './types.js';

/** What counts of somebody else's answer; its bytes are passed on as they are. */
export interface Scanned {
  readonly rcode: number;
  readonly isCut: boolean;
  /** Seconds it may be kept; 0: not at all. */
  readonly ttl: number;
  /** Where the times to live stand. */
  readonly ttlOffsets: readonly number[];
}

interface Place {
  readonly section: number;
  readonly name: Name;
  readonly type: number;
  /** Of the time to live. */
  readonly at: number;
  readonly data: number;
  readonly size: number;
}

/** @returns undefined for what is no whole answer to that question. */
export function scanAnswer(bytes: Buffer, id: number, question: Buffer): Scanned | undefined {
  if (bytes.length < HEADER + question.length) return undefined;
  const flags = bytes.readUInt16BE(2);
  if (bytes.readUInt16BE(0) !== id || (flags & 0xf800) !== 0x8000 || bytes.readUInt16BE(4) !== 1) return undefined;
  if (!isSameQuestion(bytes.subarray(HEADER, HEADER + question.length), question)) return undefined;
  const rcode = flags & 0xf;
  const isCut = (flags & 0x0200) !== 0;
  let places: readonly Place[];
  try {
    places = recordsOf(bytes, HEADER + question.length);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    // Some cut in the middle of a record.
    return isCut ? { rcode, isCut, ttl: 0, ttlOffsets: [] } : undefined;
  }
  const counted = places.filter(({ type }) => type !== Types.OPT);
  const ttls = counted.map(({ at }) => bytes.readUInt32BE(at));
  return { rcode, isCut, ttl: isCut ? 0 : lifetime(bytes, rcode, counted, ttls), ttlOffsets: counted.map(({ at }) => at) };
}

/** Addresses, and the names on the way to them, that an answer holds. */
export function addressesIn(bytes: Buffer): readonly DnsRecord[] {
  const start = readName(bytes, HEADER).end + 4;
  return recordsOf(bytes, start).flatMap(({ section, name, type, at, data, size }): DnsRecord[] => {
    const ttl = bytes.readUInt32BE(at);
    if (section !== 0) return [];
    if (type === Types.CNAME) return [{ name, ttl, type: 'CNAME', target: readName(bytes, data).name }];
    if ((type === Types.A && size === 4) || (type === Types.AAAA && size === 16)) {
      return [{ name, ttl, type: type === Types.A ? 'A' : 'AAAA', address: addressOfBytes(bytes.subarray(data, data + size)) }];
    }
    return [];
  });
}

/** A copy with another id, and with the times to live less the age, or all of them `fixed`. */
export function aged(bytes: Buffer, ttlOffsets: readonly number[], id: number, ageSeconds: number, fixed?: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt16BE(id, 0);
  for (const at of ttlOffsets) copy.writeUInt32BE(fixed ?? Math.max(0, copy.readUInt32BE(at) - ageSeconds), at);
  return copy;
}

/** Answers live as long as their shortest record, denials as long as the zone says (RFC 2308), all else not. */
function lifetime(bytes: Buffer, rcode: number, places: readonly Place[], ttls: readonly number[]): number {
  const hasAnswer = places.some(({ section }) => section === 0);
  if (rcode === Rcodes.noError && hasAnswer) return Math.min(...ttls);
  if (rcode !== Rcodes.noError && rcode !== Rcodes.nxDomain) return 0;
  const authority = places.find(({ section, type }) => section === 1 && type === Types.SOA);
  if (authority === undefined || authority.size < 4) return 0;
  return Math.min(...ttls, bytes.readUInt32BE(authority.data + authority.size - 4));
}

function recordsOf(bytes: Buffer, start: number): readonly Place[] {
  const places: Place[] = [];
  let at = start;
  for (const [section, offset] of [6, 8, 10].entries()) {
    for (let left = bytes.readUInt16BE(offset); left > 0; left -= 1) {
      const { name, end } = readName(bytes, at);
      if (end + 10 > bytes.length) throw new Malformed('it breaks off');
      const [data, size] = [end + 10, bytes.readUInt16BE(end + 8)];
      if (data + size > bytes.length) throw new Malformed('it breaks off');
      places.push({ section, name, type: bytes.readUInt16BE(end), at: end + 4, data, size });
      at = data + size;
    }
  }
  return places;
}

/** Without regard to the case of letters; type and class are compared in the same go, which at worst takes 0x41 for 0x61. */
function isSameQuestion(a: Buffer, b: Buffer): boolean {
  const tail = b.length - 4;
  if (!a.subarray(tail).equals(b.subarray(tail))) return false;
  for (let at = 0; at < tail; at += 1) {
    const [x = 0, y = 0] = [a[at], b[at]];
    if (x !== y && (lower(x) !== lower(y))) return false;
  }
  return true;
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);
