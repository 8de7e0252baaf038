import { keyOfName, type Name } from './names.js';
import { HEADER, type Refusal } from './read-query.js';
import { IN, Rcodes, Types, type DnsRecord, type Query } from './types.js';
import { addressBytes } from './address-bytes.js';

/** What is answered. */
export interface Answer {
  readonly rcode: number;
  /** True when the node knows it by itself. */
  readonly authoritative: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

/** What we take over UDP: fits into every path without fragments (RFC 9715). */
export const OUR_PAYLOAD = 1232;
const SMALLEST = 512;
/** Highest place that a pointer reaches. */
const POINTABLE = 0x3fff;

/** Bytes that the asker takes over UDP. */
export function udpLimit({ edns }: Query): number {
  return edns === undefined ? SMALLEST : Math.max(SMALLEST, Math.min(edns.payload, OUR_PAYLOAD));
}

/** The answer in at most `limit` bytes. Additional records are left out where they do not fit; without the others it is marked as cut. */
export function writeAnswer(query: Query, answer: Answer, limit: number): Buffer {
  const room = limit - (query.edns === undefined ? 0 : OPT_BYTES);
  const writer = new Writer(query);
  const sections = [answer.answers, answer.authority, answer.additional];
  const counts = [0, 0, 0];
  let isCut = false;
  for (const [section, records] of sections.entries()) {
    for (const record of records) {
      if (!writer.add(record, room)) {
        isCut ||= section < 2;
        break;
      }
      counts[section] = (counts[section] ?? 0) + 1;
    }
    if (isCut) break;
  }
  return writer.finish({ flags: flagsOf(query, answer.rcode, answer.authoritative, isCut), counts, edns: query.edns !== undefined });
}

/** Tells the asker to come back over TCP. */
export function writeCut(query: Query): Buffer {
  return new Writer(query).finish({ flags: flagsOf(query, Rcodes.noError, false, true), counts: [0, 0, 0], edns: query.edns !== undefined });
}

export function writeRefusal({ id, rcode, recursionDesired }: Refusal): Buffer {
  const isExtended = rcode > 15;
  const bytes = Buffer.alloc(HEADER + (isExtended ? OPT_BYTES : 0));
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(0x8000 | (recursionDesired ? 0x0100 : 0) | 0x0080 | (rcode & 0xf), 2);
  if (isExtended) {
    bytes.writeUInt16BE(1, 10);
    writeOpt(bytes, HEADER, rcode >> 4);
  }
  return bytes;
}

function flagsOf({ recursionDesired, checkingDisabled }: Query, rcode: number, authoritative: boolean, isCut: boolean): number {
  return 0x8000 | (authoritative ? 0x0400 : 0) | (isCut ? 0x0200 : 0) | (recursionDesired ? 0x0100 : 0) | 0x0080 | (checkingDisabled ? 0x0010 : 0) | rcode;
}

const OPT_BYTES = 11;

function writeOpt(bytes: Buffer, at: number, extended = 0): void {
  bytes.writeUInt16BE(Types.OPT, at + 1);
  bytes.writeUInt16BE(OUR_PAYLOAD, at + 3);
  bytes.writeUInt8(extended, at + 5);
}

/** Writes records behind a question; names that were written already are pointed to. */
class Writer {
  readonly #query: Query;
  #bytes: Buffer;
  #at: number;
  /** Made when a name other than the question's is written, which few answers need. */
  #places: Map<string, number> | undefined;

  constructor(query: Query) {
    this.#query = query;
    this.#bytes = Buffer.alloc(SMALLEST);
    this.#at = HEADER + query.question.copy(this.#bytes, HEADER);
  }

  /** @returns false when it does not fit, and nothing was written */
  add(record: DnsRecord, room: number): boolean {
    const start = this.#at;
    const added: string[] = [];
    this.#name(record.name, added);
    this.#need(10);
    this.#bytes.writeUInt16BE(Types[record.type], this.#at);
    this.#bytes.writeUInt16BE(IN, this.#at + 2);
    this.#bytes.writeUInt32BE(record.ttl, this.#at + 4);
    const sized = this.#at + 8;
    this.#at += 10;
    this.#data(record, added);
    this.#bytes.writeUInt16BE(this.#at - sized - 2, sized);
    if (this.#at <= room) return true;
    this.#at = start;
    for (const key of added) this.#places?.delete(key);
    return false;
  }

  finish({ flags, counts, edns }: { flags: number; counts: readonly number[]; edns: boolean }): Buffer {
    this.#need(OPT_BYTES);
    if (edns) {
      this.#bytes.fill(0, this.#at, this.#at + OPT_BYTES);
      writeOpt(this.#bytes, this.#at);
      this.#at += OPT_BYTES;
    }
    const [answers = 0, authority = 0, additional = 0] = counts;
    for (const [index, value] of [this.#query.id, flags, 1, answers, authority, additional + (edns ? 1 : 0)].entries()) this.#bytes.writeUInt16BE(value, index * 2);
    return this.#bytes.subarray(0, this.#at);
  }

  #data(record: DnsRecord, added: string[]): void {
    switch (record.type) {
      case 'A':
      case 'AAAA':
        return this.#raw(addressBytes(record.address));
      case 'CNAME':
      case 'PTR':
      case 'NS':
        return this.#name(record.target, added);
      case 'TXT':
        return this.#raw(Buffer.concat([Buffer.from([Buffer.byteLength(record.text)]), Buffer.from(record.text)]));
      case 'SRV':
        this.#numbers(2, [record.priority, record.weight, record.port]);
        // Not compressed (RFC 2782).
        return this.#raw(plainName(record.target));
      case 'SOA':
        this.#name(record.primary, added);
        this.#name(record.mailbox, added);
        return this.#numbers(4, [record.serial, 7200, 1800, 86_400, record.minimum]);
    }
  }

  #numbers(size: 2 | 4, values: readonly number[]): void {
    const bytes = Buffer.alloc(size * values.length);
    for (const [index, value] of values.entries()) bytes.writeUIntBE(value, index * size, size);
    this.#raw(bytes);
  }

  #name(name: Name, added: string[]): void {
    if (name === this.#query.name && name.length > 0) return this.#raw(QUESTION_NAME);
    const places = (this.#places ??= placesOf(this.#query.name));
    for (let index = 0; index < name.length; index += 1) {
      const key = keyOfName(name.slice(index));
      const place = places.get(key);
      if (place !== undefined) return this.#raw(Buffer.from([0xc0 | (place >> 8), place & 0xff]));
      if (this.#at <= POINTABLE) {
        places.set(key, this.#at);
        added.push(key);
      }
      const label = Buffer.from(name[index] as string, 'latin1');
      this.#need(label.length + 1);
      this.#bytes[this.#at] = label.length;
      this.#at += 1 + label.copy(this.#bytes, this.#at + 1);
    }
    this.#raw(Buffer.from([0]));
  }

  #raw(bytes: Buffer): void {
    this.#need(bytes.length);
    this.#at += bytes.copy(this.#bytes, this.#at);
  }

  #need(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#at + more));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** A pointer to the question's name. */
const QUESTION_NAME = Buffer.from([0xc0, HEADER]);

function placesOf(name: Name): Map<string, number> {
  const places = new Map<string, number>();
  let at = HEADER;
  for (const [index, label] of name.entries()) {
    places.set(keyOfName(name.slice(index)), at);
    at += label.length + 1;
  }
  return places;
}

function plainName(name: Name): Buffer {
  return Buffer.concat([...name.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1')), Buffer.from([0])]);
}
