import { isIP } from 'node:net';
import { addressOfBytes } from './wire/address-bytes.js';
import { canonicalAddress } from '../data/addresses.js';
import { lowerCase, type Name } from './wire/names.js';

/** The address that a name of `in-addr.arpa` or `ip6.arpa` stands for; undefined for any other name. */
export function addressOfReverse(name: Name): string | undefined {
  const labels = name.map(lowerCase).reverse();
  if (labels[0] !== 'arpa') return undefined;
  const digits = labels.slice(2);
  if (labels[1] === 'in-addr' && digits.length === 4) return canonicalAddress(digits.join('.'));
  if (labels[1] === 'ip6' && digits.length === 32 && digits.every((digit) => /^[0-9a-f]$/.test(digit))) return canonicalAddress(addressOfBytes(Buffer.from(digits.join(''), 'hex')));
  return undefined;
}

/** An address as one label: `10-0-0-1`, `fd00--1`. */
export function dashed(address: string): string {
  return address.replace(/[.:]/g, '-');
}

/** The address in such a label; undefined for what is none. */
export function undashed(label: string): string | undefined {
  for (const separator of ['.', ':']) {
    const address = label.replaceAll('-', separator);
    if (isIP(address) !== 0) return canonicalAddress(address);
  }
  return undefined;
}
