import { StringDecoder } from 'node:string_decoder';
import { EdgeError } from '@edge/core';
import { MAX_LINE } from './control-protocol.js';

/**
 * The lines that come in chunks; what follows the last end of a line is none.
 * @throws EdgeError `cli.control` for one that is too long
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + decoder.write(Buffer.from(chunk))).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
    if (rest.length > MAX_LINE) throw new EdgeError('cli.control', `a line of more than ${MAX_LINE} letters came`);
  }
}
