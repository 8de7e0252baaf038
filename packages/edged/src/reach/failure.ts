import { errorCode, errorText, type EdgeError } from '@edge/core';
import { hostPort } from '@edge/protocol';
import { edgedError } from '../errors.js';

/** Words of the errors of sockets as Go has them, because that is what people search for. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

/** What a failed connection is told as: `dial tcp 10.0.0.1:80: connect: connection refused`. */
export function dialError(host: string, port: number, error: unknown): string {
  return `dial tcp ${hostPort(host, port)}: ${WORDS[errorCode(error)] ?? errorText(error)}`;
}

/** True when it is the connection that failed, and not what came over it. */
export function isDialError(error: unknown): boolean {
  return errorCode(error) in WORDS || (error as { syscall?: unknown } | null)?.syscall === 'getaddrinfo';
}

export function unreachable(message: string, cause?: unknown): EdgeError {
  return edgedError('edged.unreachable', message, cause);
}

export function tookTooLong(message: string): EdgeError {
  return edgedError('edged.probe-timeout', message);
}
