import { sleep, type ContainerRuntime } from '@edge/core';
import type { Container, LifecycleHandler } from '@edge/protocol';
import { edgedError } from '../errors.js';
import { isPlainAnswer } from '../reach/http.js';
import type { Reach } from '../reach/reach.js';
import { host, httpCall, portNumber } from '../reach/target.js';

/** The container that a hook is about. */
export interface HookTarget {
  readonly containerId: string;
  /** By which the hook may name a port. */
  readonly ports?: Container['ports'] | undefined;
  /** Address of the pod; undefined while it has none. */
  readonly address: string | undefined;
}

export interface HookDeps {
  readonly runtime: ContainerRuntime;
  readonly reach: Reach;
}

const OUTPUT_LIMIT = 1024;

/**
 * Runs one hook to its end, however long it takes. Every answer to a request counts as success.
 * @throws EdgeError `edged.hook` for a command that failed; what `Reach` throws; `core.aborted`
 */
export async function runHook(deps: HookDeps, handler: LifecycleHandler, target: HookTarget, signal: AbortSignal): Promise<void> {
  const { exec, httpGet, tcpSocket, sleep: pause } = handler;
  const { containerId, ports, address } = target;
  const container = ports === undefined ? {} : { ports };
  if (exec) await execHook(deps.runtime, containerId, exec.command ?? [], signal);
  else if (httpGet) await requestHook(deps.reach, httpCall(httpGet, container, address, 'lifecycle'), signal);
  else if (tcpSocket) await deps.reach.tcp(host(tcpSocket, address), portNumber(tcpSocket.port, container), undefined, signal);
  else if (pause) await sleep(pause.seconds * 1000, signal);
  else throw edgedError('edged.hook', 'the hook has no action that is known');
}

async function execHook(runtime: ContainerRuntime, containerId: string, command: readonly string[], signal: AbortSignal): Promise<void> {
  const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, 0, signal);
  if (exitCode === 0) return;
  const output = Buffer.concat([stdout, stderr]).subarray(0, OUTPUT_LIMIT).toString('utf8').trim();
  // The output may hold secrets: it is for the pod's status, not for events.
  throw edgedError('edged.hook', `command ${JSON.stringify(command)} exited with ${exitCode}`, output === '' ? undefined : new Error(output));
}

async function requestHook(reach: Reach, call: ReturnType<typeof httpCall>, signal: AbortSignal): Promise<void> {
  try {
    await reach.http(call, undefined, signal);
  } catch (error) {
    if (!call.url.startsWith('https:') || !(error instanceof Error) || !isPlainAnswer(error.cause)) throw error;
    // The server speaks no TLS. Before hooks could, they were all sent without.
    const headers = call.headers.filter(([name]) => name.toLowerCase() !== 'authorization');
    await reach.http({ url: call.url.replace(/^https:/, 'http:'), headers }, undefined, signal);
  }
}
