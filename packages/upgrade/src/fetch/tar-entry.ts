import { gunzipSync } from 'node:zlib';

const BLOCK = 512;

/**
 * One file of a gzipped tar archive, by the end of its name; `undefined` when it is not there. Enough for packages: no name in them that
 * is looked for here is long.
 */
export function tarEntry(archive: Uint8Array, fits: (name: string) => boolean): Buffer | undefined {
  const tar = gunzipSync(archive);
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const name = text(tar, at, 100);
    if (name === '') return undefined;
    const size = Number.parseInt(text(tar, at + 124, 12).trim() || '0', 8);
    const begin = at + BLOCK;
    if (fits(name)) return tar.subarray(begin, begin + size);
    at = begin + Math.ceil(size / BLOCK) * BLOCK;
  }
  return undefined;
}

function text(tar: Buffer, at: number, length: number): string {
  const field = tar.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? length : end);
}
