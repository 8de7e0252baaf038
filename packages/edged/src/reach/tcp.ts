import { connect } from 'node:net';
import { abortError } from '@edge/core';
import { hostPort } from '@edge/protocol';
import { dialError, tookTooLong, unreachable } from './failure.js';
import { limit } from './limit.js';

/** Connects and hangs up, see `Reach`. */
export async function connectTcp(host: string, port: number, timeoutMs: number | undefined, signal: AbortSignal): Promise<void> {
  using limited = limit(signal, timeoutMs);
  try {
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host, port, signal: limited.signal });
      // What the other side does later is its own business; a second rejection is none.
      socket.on('error', reject);
      socket.once('connect', () => {
        socket.destroy();
        resolve();
      });
    });
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    if (limited.timedOut) throw tookTooLong(`dial tcp ${hostPort(host, port)}: i/o timeout`);
    throw unreachable(dialError(host, port, error));
  }
}
