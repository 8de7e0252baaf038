import { createHash } from 'node:crypto';
import { addressOf, type Range } from './range.js';

/**
 * Who has which address of a range. Where a key begins to look for one follows from the key alone, so that it has the same after a
 * restart; only those that begin alike depend on who came first. What is given is kept until it is released. [edgemesh-49]
 */
export class OwnAddresses {
  readonly #range: Range;
  readonly #reserved: ReadonlySet<string>;
  readonly #addresses = new Map<string, string>();
  readonly #owners = new Map<string, string>();

  /** @param deps.reserved addresses that nobody gets, beside the first and the last of the range */
  constructor(deps: { range: Range; reserved?: readonly string[] }) {
    const { range, reserved = [] } = deps;
    this.#range = range;
    this.#reserved = new Set([...reserved, addressOf(range.first), addressOf(range.first + range.size - 1)]);
  }

  /** @returns the address of the key, a new one where it has none; undefined when all are taken */
  take(key: string): string | undefined {
    const has = this.#addresses.get(key);
    if (has !== undefined) return has;
    for (const address of placesOf(key, this.#range)) {
      if (this.#reserved.has(address) || this.#owners.has(address)) continue;
      this.#addresses.set(key, address);
      this.#owners.set(address, key);
      return address;
    }
    return undefined;
  }

  release(key: string): void {
    const address = this.#addresses.get(key);
    if (address === undefined) return;
    this.#addresses.delete(key);
    this.#owners.delete(address);
  }

  get(key: string): string | undefined {
    return this.#addresses.get(key);
  }

  ownerOf(address: string): string | undefined {
    return this.#owners.get(address);
  }
}

/** All addresses of the range, each once, in an order of the key's own. */
function* placesOf(key: string, { first, size }: Range): Generator<string> {
  const digest = createHash('sha256').update(key).digest();
  const start = digest.readUInt32BE(0) % size;
  // Odd, and the size is a power of two: no place comes twice before all have come.
  const step = (digest.readUInt32BE(4) | 1) >>> 0;
  for (let count = 0; count < size; count += 1) yield addressOf(first + ((start + count * (step % size)) % size));
}
