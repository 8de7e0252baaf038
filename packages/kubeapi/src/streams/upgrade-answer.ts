import type { Duplex } from 'node:stream';
import { ApiError } from '../errors.js';

const LONGEST_HEAD = 16 * 1024;
/** Refusals of a kubelet are short. */
const LONGEST_REFUSAL = 16 * 1024;

interface Head {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/**
 * Reads the head of the answer to an upgrade from a connection. Resolves when it has been upgraded; the connection is paused then
 * and gives what comes behind the head.
 * @throws ApiError with the words of a refusal; ServiceUnavailable when the connection ends before
 */
export function readUpgrade(connection: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = Buffer.alloc(0);
    let head: Head | undefined;
    const stop = (): void => {
      connection.off('data', take);
      connection.off('end', broken);
      connection.off('close', broken);
      connection.off('error', broken);
      connection.pause();
    };
    const refuse = (error: unknown): void => {
      stop();
      // One more may come while it is being closed.
      connection.on('error', () => undefined).destroy();
      reject(error as Error);
    };
    const broken = (): void => refuse(head ? refusal(head.status, bodyOf(head, text)) : new ApiError('ServiceUnavailable', 'the node ended the session before it answered'));
    const take = (bytes: Buffer): void => {
      text = Buffer.concat([text, bytes]);
      if (!head) {
        const end = text.indexOf('\r\n\r\n');
        if (end < 0) {
          if (text.length > LONGEST_HEAD) refuse(new ApiError('ServiceUnavailable', 'the node answered with something that is not HTTP'));
          return;
        }
        head = readHead(text.subarray(0, end).toString('latin1'));
        text = text.subarray(end + 4);
      }
      if (head.status === 101) {
        stop();
        if (text.length > 0) connection.unshift(text);
        return resolve();
      }
      const length = Number(head.headers.get('content-length') ?? LONGEST_REFUSAL);
      if (text.length >= Math.min(length, LONGEST_REFUSAL) || text.includes('\r\n0\r\n')) broken();
    };
    connection.on('data', take).once('end', broken).once('close', broken).once('error', broken);
    // One that closed before this was called says so no more.
    if (connection.closed) broken();
  });
}

function readHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const headers = lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')).trim().toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
  return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 502), headers: new Map(headers) };
}

function bodyOf({ headers }: Head, bytes: Buffer): string {
  const text = bytes.toString();
  if (headers.get('transfer-encoding')?.toLowerCase() !== 'chunked') return text;
  // A short text: its chunks are told apart by the lines with their lengths.
  return text.replaceAll(/(^|\r\n)[0-9a-f]+\r\n/gi, '').trim();
}

/** A kubelet's refusal in the form of an API server. */
export function refusal(status: number, words: string): ApiError {
  const reason = status === 404 ? 'NotFound' : status === 429 ? 'TooManyRequests' : status < 500 ? 'BadRequest' : status === 501 || status === 502 ? 'ServiceUnavailable' : 'InternalError';
  return new ApiError(reason, words.trim() || `the node answered ${status}`);
}
