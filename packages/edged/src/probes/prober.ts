import { errorCode, errorText, isAbort, type ContainerRuntime } from '@edge/core';
import type { Container, Probe } from '@edge/protocol';
import { edgedError } from '../errors.js';
import { expand } from '../plan/expand.js';
import { limit } from '../reach/limit.js';
import type { Reach } from '../reach/reach.js';
import { host, httpCall, portNumber } from '../reach/target.js';
import { timeoutMs } from './timing.js';

/** Results of one probe. `error`: it could not be made, which says nothing about the container. */
export interface ProbeOutcome {
  readonly result: 'success' | 'warning' | 'failure' | 'error';
  /** For people. */
  readonly text: string;
}

/** The container that is asked. */
export interface ProbeTarget {
  readonly probe: Probe;
  readonly container: Container;
  readonly containerId: string;
  /** Address of the pod; undefined while it has none. */
  readonly address: string | undefined;
}

export interface ProberDeps {
  readonly runtime: ContainerRuntime;
  readonly reach: Reach;
}

/** So often a probe that could not be made is tried. */
const TRIES = 3;
const TEXT_LIMIT = 10 * 1024;
/** How much longer than the command the runtime may take: after that it is the runtime that hangs. */
const RUNTIME_PATIENCE_MS = 5_000;

/**
 * Makes one probe.
 * @throws EdgeError `core.aborted`
 */
export async function runProbe(deps: ProberDeps, target: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome> {
  let text = '';
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    try {
      return await attemptProbe(deps, target, signal);
    } catch (error) {
      if (isAbort(error)) throw error;
      if (errorCode(error) === 'edged.probe-timeout' || errorCode(error) === 'edged.unreachable') return { result: 'failure', text: errorText(error) };
      text = errorText(error);
      if (errorCode(error) === 'edged.runtime-hangs') break;
    }
  }
  return { result: 'error', text };
}

async function attemptProbe(deps: ProberDeps, target: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome> {
  const { probe, container, address } = target;
  const patience = timeoutMs(probe);
  if (probe.exec) return execProbe(deps.runtime, target, signal);
  if (probe.httpGet) {
    const { status, body } = await deps.reach.http(httpCall(probe.httpGet, container, address, 'probe'), patience, signal);
    // Not the body: it may hold what is not for everybody's eyes.
    if (status < 200 || status >= 400) return { result: 'failure', text: `HTTP probe failed with statuscode: ${status}` };
    if (status >= 300) return { result: 'warning', text: `the answer is a redirect that is not followed (${status}): ${body}` };
    return { result: 'success', text: '' };
  }
  if (probe.tcpSocket) {
    await deps.reach.tcp(host(probe.tcpSocket, address), portNumber(probe.tcpSocket.port, container), patience, signal);
    return { result: 'success', text: '' };
  }
  if (probe.grpc) {
    const word = await deps.reach.grpc(host({}, address), probe.grpc.port, probe.grpc.service ?? '', patience, signal);
    return word === 'SERVING' ? { result: 'success', text: '' } : { result: 'failure', text: `service unhealthy (responded with "${word}")` };
  }
  throw edgedError('edged.probe-target', 'the probe has no action that is known');
}

async function execProbe(runtime: ContainerRuntime, { probe, container, containerId }: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome> {
  // Values as they are written: what comes from elsewhere counts as empty, as with upstream.
  const values = new Map((container.env ?? []).map(({ name, value = '' }) => [name, value]));
  const command = (probe.exec?.command ?? []).map((word) => expand(word, (name) => values.get(name)));
  const seconds = timeoutMs(probe) / 1000;
  using limited = limit(signal, seconds * 1000 + RUNTIME_PATIENCE_MS);
  try {
    const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, seconds, limited.signal);
    const text = Buffer.concat([stdout, stderr]).subarray(0, TEXT_LIMIT).toString('utf8');
    return { result: exitCode === 0 ? 'success' : 'failure', text };
  } catch (error) {
    if (limited.timedOut) throw edgedError('edged.runtime-hangs', `the runtime did not say within ${seconds + RUNTIME_PATIENCE_MS / 1000} s what became of ${JSON.stringify(command)}`);
    if (errorCode(error) === 'runtime.exec-timeout') return { result: 'failure', text: `command timed out: ${JSON.stringify(command)} timed out after ${seconds}s` };
    throw error;
  }
}
