import { connect } from 'node:net';
import type { Server } from '../config.js';
import { framed, Frames } from './frames.js';

/** One question over a connection of its own. Resolves with undefined when no answer came. */
export function askOverTcp<T>(server: Server, bytes: Buffer, timeoutMs: number, signal: AbortSignal, read: (answer: Buffer) => T | undefined): Promise<T | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: server.address, port: server.port });
    const frames = new Frames();
    const done = (answer?: T): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(answer);
    };
    const giveUp = (): void => done();
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.on('error', giveUp);
    socket.on('close', giveUp);
    socket.on('data', (chunk) => {
      // One answer is all that was asked for; what is no answer ends it.
      const [first] = frames.push(chunk);
      if (first !== undefined) done(read(first));
    });
    socket.write(framed(bytes));
    if (signal.aborted) done();
  });
}
