import { ProtocolError } from '../errors.js';

/** Kinds of frames in the tunnel between CloudStream and a node. */
export const FrameTypes = {
  /** cloud → edge: a log is asked for. */
  logsConnect: 0,
  /** cloud → edge: a command in a container. */
  execConnect: 1,
  /** cloud → edge: measurements are asked for. */
  metricConnect: 2,
  /** both ways: bytes of one session. */
  data: 3,
  /** both ways: the session has ended. */
  removeConnect: 4,
  /** cloud → edge: the whole tunnel has to end; the data says why. */
  closeConnect: 5,
  /** cloud → edge: the main process of a container. Unknown to nodes up to v1.13. */
  attachConnect: 6,
} as const;

/** Bytes of data that a frame may carry: readers upstream drop the rest of a longer one without a word. */
export const MAX_FRAME_DATA = 1024 * 1024;

/** One message of the tunnel: two numbers as unsigned LEB128, then bytes to the end. */
export interface Frame {
  /** Number of the session, chosen by the cloud; 0 for what concerns the tunnel. At most 2^53-1 here. */
  readonly id: number;
  /** One of `FrameTypes`, or one that this version does not know. */
  readonly type: number;
  readonly data: Uint8Array;
}

/** Groups of seven bits that the longest number (64 bits) takes. */
const LONGEST_NUMBER = 10;

/**
 * The bytes of a frame, to be sent as one WebSocket message. It has to be a text message although the bytes need not be
 * UTF-8: CloudCore ends the tunnel at a binary one.
 */
export function encodeFrame(id: number, type: number, data: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(numberLength(id) + numberLength(type) + data.length);
  const at = writeNumber(frame, writeNumber(frame, 0, id), type);
  frame.set(data, at);
  return frame;
}

/**
 * Takes a frame apart; its data shares memory with `bytes`.
 * @throws ProtocolError `protocol.frame` for a number that is cut off or too large
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  const id = readNumber(bytes, 0, 'session');
  const type = readNumber(bytes, id.end, 'type');
  return { id: id.value, type: type.value, data: bytes.subarray(type.end) };
}

function numberLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length += 1;
  return length;
}

function writeNumber(into: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) {
    into[at] = (rest % 128) + 128;
    at += 1;
  }
  into[at] = rest;
  return at + 1;
}

function readNumber(bytes: Uint8Array, start: number, what: string): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let index = 0; index < LONGEST_NUMBER; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) throw new ProtocolError('protocol.frame', `the number of the ${what} is cut off in a frame of ${bytes.length} bytes`);
    value += (byte % 128) * 128 ** index;
    if (byte < 128) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return { value, end: start + index + 1 };
    }
  }
  throw new ProtocolError('protocol.frame', `the number of the ${what} is larger than 2^53-1 in a frame of ${bytes.length} bytes`);
}
