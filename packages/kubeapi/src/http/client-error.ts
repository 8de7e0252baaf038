import type { Duplex } from 'node:stream';
import { ApiError, type StatusReason } from '../errors.js';

const REFUSALS: Readonly<Record<string, { reason: StatusReason; status: string; httpStatus: number }>> = {
  HPE_HEADER_OVERFLOW: { reason: 'BadRequest', status: 'Request Header Fields Too Large', httpStatus: 431 },
  ERR_HTTP_REQUEST_TIMEOUT: { reason: 'Timeout', status: 'Request Timeout', httpStatus: 408 },
};

/** Answers bytes that are no HTTP with a Status and closes the connection, without a word where an answer may be under way on it. */
export function refuseBytes(error: Error & { code?: string }, socket: Duplex & { bytesWritten?: number }): void {
  if (!socket.writable || socket.bytesWritten !== 0) return void socket.destroy();
  const { reason, status, httpStatus } = REFUSALS[error.code ?? ''] ?? { reason: 'BadRequest', status: 'Bad Request', httpStatus: 400 };
  const body = `${JSON.stringify(new ApiError(reason, `the request is not HTTP as it should be: ${error.message}`, {}, { httpStatus }).toStatus())}\n`;
  socket.end(`HTTP/1.1 ${httpStatus} ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`, () => socket.destroy());
}
