import type { RuntimeVersion } from '@edge/core';
import { errorCode, errorText, isAbort } from '@edge/core';
import { CriConnection } from './connect.js';
import { socketPath } from './endpoint.js';
import { CriError, CriErrors } from './errors.js';
import { meet } from './meet.js';
import { runtimeSockets } from './sockets.js';

export interface FoundRuntime {
  /** With `unix://`, as configurations have it. */
  readonly endpoint: string;
  readonly version: RuntimeVersion;
}

export interface FindOptions {
  /** Tried one after the other when nothing is configured. Default `runtimeSockets`. */
  readonly sockets?: readonly string[];
  /** Milliseconds that each may take to answer. Default 5000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * The runtime at the configured endpoint; without one, the first of the usual sockets that has a runtime behind it.
 * @throws CriError why the configured one cannot be used, or `runtime.none-found` with what is wrong at each socket
 */
export async function findRuntime(configured?: string, options: FindOptions = {}): Promise<FoundRuntime> {
  if (configured !== undefined && configured !== '') return meetAt(socketPath(configured), options);
  const { sockets = runtimeSockets } = options;
  const failures: string[] = [];
  for (const socket of sockets) {
    try {
      return await meetAt(socket, options);
    } catch (error) {
      if (isAbort(error) || !errorCode(error).startsWith('runtime.')) throw error;
      failures.push(errorText(error));
    }
  }
  throw new CriError(CriErrors.noneFound, `no container runtime found. Install containerd or CRI-O, or set containerRuntimeEndpoint. Tried: ${failures.join('; ')}`, { socket: sockets.join(','), call: '' });
}

async function meetAt(socket: string, { timeoutMs = 5_000, signal }: FindOptions): Promise<FoundRuntime> {
  using connection = new CriConnection({ socket, timeoutMs });
  return { endpoint: `unix://${socket}`, version: await meet(connection, { signal }) };
}
