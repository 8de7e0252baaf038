import { HpackError } from './hpack-error.js';

/** Bits of the code of each byte, 0 to 255. Source: RFC 7541, appendix B. The code is canonical, so the lengths are all there is to it. */
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];
/** The code of the end, a byte that never comes; as long as the longest. */
const LONGEST = 30;

interface Level {
  /** The first code of this length, and where its byte stands in `bytes`. */
  readonly first: number;
  readonly count: number;
  readonly at: number;
}

const { levels, bytes } = tables();

/**
 * The text behind a Huffman code.
 * @throws HpackError when the bytes are none
 */
export function decodeHuffman(code: Buffer): Buffer {
  const out: number[] = [];
  let value = 0;
  let length = 0;
  for (const byte of code) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      value = value * 2 + ((byte >> bit) & 1);
      length += 1;
      const level = levels[length];
      if (level && value - level.first < level.count) {
        out.push(bytes[level.at + value - level.first] as number);
        value = 0;
        length = 0;
      } else if (length >= LONGEST) {
        throw new HpackError('a Huffman code is none');
      }
    }
  }
  // What is left is padding: the beginning of the code of the end, fewer than eight ones.
  if (length > 7 || value !== 2 ** length - 1) throw new HpackError('a Huffman code ends in the middle');
  return Buffer.from(out);
}

function tables(): { readonly levels: readonly (Level | undefined)[]; readonly bytes: readonly number[] } {
  const sorted: number[] = [];
  const found: (Level | undefined)[] = [];
  let next = 0;
  for (let length = 1; length <= LONGEST; length += 1) {
    next *= 2;
    const here = LENGTHS.flatMap((own, byte) => (own === length ? [byte] : []));
    if (here.length > 0) found[length] = { first: next, count: here.length, at: sorted.length };
    sorted.push(...here);
    next += here.length;
  }
  return { levels: found, bytes: sorted };
}
