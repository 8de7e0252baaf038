import type { Duplex } from 'node:stream';

/** Time to read the answer; who does not close then is cut off. Milliseconds. */
const READING_MS = 2000;

/** Answers a request for an upgrade with a refusal in plain text and closes the connection, whether the other side does or not. */
export function refuseUpgrade(socket: Duplex, status: number, why: string): void {
  const body = `${why}\n`;
  socket.end(`HTTP/1.1 ${status} Refused\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
  // What still comes is not waited for, and must not keep the end from being seen.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), READING_MS);
  socket.once('close', () => clearTimeout(timer));
}
