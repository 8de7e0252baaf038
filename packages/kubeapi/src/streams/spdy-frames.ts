/** SPDY/3.1 as far as remote commands need it: frames that a client writes. */

export const FrameType = { synStream: 1, synReply: 2, reset: 3, settings: 4, ping: 6, goAway: 7, headers: 8, windowUpdate: 9 } as const;

/** Flag of the last frame of a stream. */
export const FIN = 1;
const VERSION = 0x8003;

/**
 * Begin of the compressed headers of a connection: zlib with the dictionary of SPDY/3, named by its checksum. What follows is stored
 * as it is, so the dictionary itself is not needed.
 */
const ZLIB_HEAD = Buffer.from('78bbe3c6a7c2', 'hex');
/** An empty block, after which a reader has all that came before. */
const FLUSH = Buffer.from('000000ffff', 'hex');

/**
 * Opens a stream.
 * @param id odd, larger than the one before
 * @param isFirst whether it is the first one of its connection: the headers of all streams are one compressed text
 */
export function synStream(id: number, headers: Readonly<Record<string, string>>, isFirst: boolean): Buffer {
  const block = nameValueBlock(headers);
  const stored = Buffer.alloc(5);
  stored.writeUInt16LE(block.length, 1);
  stored.writeUInt16LE(~block.length & 0xff_ff, 3);
  const ids = Buffer.alloc(10);
  ids.writeUInt32BE(id, 0);
  return controlFrame(FrameType.synStream, 0, Buffer.concat([ids, ...(isFirst ? [ZLIB_HEAD] : []), stored, block, FLUSH]));
}

function nameValueBlock(headers: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(headers);
  return Buffer.concat([number(entries.length), ...entries.flatMap(([name, value]) => [sized(name), sized(value)])]);
}

/** Bytes of a stream; with `isLast` it is ended in this direction. */
export function dataHead(id: number, length: number, isLast: boolean): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(id, 0);
  head.writeUInt32BE(length, 4);
  if (isLast) head[4] = FIN;
  return head;
}

export function controlFrame(type: number, flags: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(payload.length, 4);
  head[4] = flags;
  return Buffer.concat([head, payload]);
}

function sized(text: string): Buffer {
  return Buffer.concat([number(Buffer.byteLength(text)), Buffer.from(text)]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
