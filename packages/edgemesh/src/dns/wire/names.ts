/** A domain name as its labels, none for the root. A label may hold any bytes; they are shown as latin1, so that none is lost. */
export type Name = readonly string[];

const MAX_NAME = 255;

/** What is no DNS message. Whoever reads one catches it; it says nothing that a log should know. */
export class Malformed extends Error {}

/**
 * Reads a name (RFC 1035 4.1.4).
 * @returns the name as it is written, and where what follows it begins
 * @throws Malformed a pointer that does not point back, a name that is too long or breaks off
 */
export function readName(bytes: Buffer, offset: number): { readonly name: Name; readonly end: number } {
  const name: string[] = [];
  let at = offset;
  let end = -1;
  let length = 1;
  // Each pointer has to lead to what lies before everything read so far, so there is no circle.
  let floor = offset;
  for (;;) {
    const size = byteAt(bytes, at);
    if (size === 0) return { name, end: end < 0 ? at + 1 : end };
    if ((size & 0xc0) === 0xc0) {
      const target = ((size & 0x3f) << 8) | byteAt(bytes, at + 1);
      if (end < 0) end = at + 2;
      if (target >= floor) throw new Malformed('a pointer that does not point back');
      floor = target;
      at = target;
      continue;
    }
    if ((size & 0xc0) !== 0) throw new Malformed('an unknown kind of label');
    length += size + 1;
    if (length > MAX_NAME || at + 1 + size > bytes.length) throw new Malformed('a name that is too long');
    name.push(bytes.toString('latin1', at + 1, at + 1 + size));
    at += size + 1;
  }
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new Malformed('it breaks off');
  return byte;
}

/** Names are compared without regard to case (RFC 4343). Unambiguous also for labels that hold dots. */
export function keyOfName(name: Name): string {
  return name.map((label) => `${String.fromCharCode(label.length)}${lowerCase(label)}`).join('');
}

/** ASCII alone: in latin1, other capitals are other bytes. */
export function lowerCase(label: string): string {
  return /[A-Z]/.test(label) ? label.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : label;
}

/** A name as people write it; undefined for one that is none: an empty label, one of more than 63 bytes, more than 255 in all. */
export function parseName(text: string): Name | undefined {
  const name = text.replace(/\.$/, '').split('.');
  if (name.length === 1 && name[0] === '') return [];
  const isName = name.every((label) => label.length > 0 && label.length <= 63 && !/[^\x21-\x7e]/.test(label));
  return isName && name.reduce((sum, label) => sum + label.length + 1, 1) <= MAX_NAME ? name : undefined;
}
