import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { abortError, EdgeError, errorCode, errorText } from '@edge/core';
import { isFields } from '@edge/protocol';
import type { ControlRequest } from './control-protocol.js';
import { linesOf } from './lines.js';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not run',
  ECONNREFUSED: 'it does not run',
  EACCES: 'only root and the user that it runs as may give it orders',
};

/**
 * Gives an order to the agent that listens at the path, and waits for its outcome.
 * @param signal gives it up: the agent takes back what it has begun
 * @throws EdgeError `cli.no-agent` nobody listens; `cli.control` it ended meanwhile; `core.aborted`; else what the agent says
 */
export async function order(path: string, request: ControlRequest, onStep: (step: string) => void, signal: AbortSignal): Promise<unknown> {
  const socket = await reach(path);
  const end = (): void => void socket.destroy();
  signal.addEventListener('abort', end, { once: true });
  try {
    // Of an abort from before there is no event.
    if (signal.aborted) throw abortError(signal);
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const line of linesOf(ofAgent(socket))) {
      const reply: unknown = JSON.parse(line);
      if (!isFields(reply)) continue;
      const { step, error } = reply;
      if (typeof step === 'string') onStep(step);
      if (isFields(error)) throw new EdgeError(String(error['code']), String(error['message']));
      if ('done' in reply) return reply['done'];
    }
    throw new EdgeError('cli.control', 'the agent ended before it was done; see its log');
  } finally {
    signal.removeEventListener('abort', end);
    socket.destroy();
  }
}

/** What comes from the agent; the end of one that was killed is an error of the connection. */
async function* ofAgent(socket: Socket): AsyncGenerator<Uint8Array> {
  try {
    yield* socket;
  } catch (cause) {
    if (!/^(ECONNRESET|EPIPE)$/.test(errorCode(cause))) throw cause;
  }
}

async function reach(path: string): Promise<Socket> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return socket;
  } catch (cause) {
    throw new EdgeError('cli.no-agent', `the agent cannot be reached at ${path}: ${REASONS[errorCode(cause)] ?? errorText(cause)}`);
  }
}
