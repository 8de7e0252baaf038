import type { RuntimeStreaming, StreamOptions } from '@edge/core';
import { ApiFault, text, type ApiAnswer } from './answer.js';
import { containerSpec, needPods, needRuntime, podOf, runningContainer, type PodHost } from './pod-host.js';
import type { ApiRequest, Handler } from './router.js';

const LAST_PORT = 65_535;

/** `/exec`: a command in a container, its streams in the client's protocol. */
export function exec(host: PodHost): Handler {
  return async (request) => {
    const { params, query, signal } = request;
    const options = streamOptions(query);
    const record = podOf(host, request);
    const streaming = needStreaming(host, request);
    const container = await runningContainer(host, record, params['container'] ?? '', signal);
    return { relayTo: await streaming.execUrl(container, { ...options, command: query.getAll('command') }, signal) };
  };
}

/** `/attach`: the streams of a container's main process. */
export function attach(host: PodHost): Handler {
  return async (request) => {
    const { params, query, signal } = request;
    const name = params['container'] ?? '';
    const asked = streamOptions(query);
    const record = podOf(host, request);
    const streaming = needStreaming(host, request);
    // Whether there is a terminal was decided when the container was made, not by who attaches.
    const tty = containerSpec(record, name)?.tty ?? false;
    const container = await runningContainer(host, record, name, signal);
    return { relayTo: await streaming.attachUrl(container, { ...asked, tty, stderr: asked.stderr && !tty }, signal) };
  };
}

/** `/portForward`: connections to ports of a pod. */
export function portForward(host: PodHost): Handler {
  return async (request) => {
    const { raw, query, signal } = request;
    // SPDY names the port of each stream later on; WebSocket has to name all now.
    const webSocket = raw.headers.upgrade?.toLowerCase() === 'websocket';
    const ports = webSocket ? portList(query.getAll('port')) : [];
    const { pod } = podOf(host, request);
    const streaming = needStreaming(host, request);
    const actual = await needPods(host).observe(pod.metadata.uid ?? '', signal);
    const sandbox = actual.sandboxes.find(({ state }) => state === 'ready');
    if (!sandbox) throw new ApiFault(404, `pod "${pod.metadata.name}" does not run`);
    return { relayTo: await streaming.portForwardUrl(sandbox.id, ports, signal) };
  };
}

/** `/run`: a command to its end, its output as the answer. */
export function run(host: PodHost): Handler {
  return async (request): Promise<ApiAnswer> => {
    const { params, query, signal } = request;
    const command = query.get('cmd') ?? '';
    if (command === '') throw new ApiFault(400, 'query parameter "cmd" is required');
    const record = podOf(host, request);
    const container = await runningContainer(host, record, params['container'] ?? '', signal);
    const { stdout, stderr, exitCode } = await needRuntime(host).execSync(container, command.split(' '), 0, signal);
    const output = Buffer.concat([stdout, stderr]);
    if (exitCode === 0) return { body: output };
    return text(`command terminated with exit code ${exitCode}\n${output.toString('utf8')}`, 500);
  };
}

/**
 * Streams that a client wants, each `1`.
 * @throws ApiFault 400 when it wants none
 */
export function streamOptions(query: URLSearchParams): StreamOptions {
  const on = (name: string): boolean => query.get(name) === '1';
  const [stdin, stdout, tty] = [on('input'), on('output'), on('tty')];
  // A terminal has one output only.
  const stderr = on('error') && !tty;
  if (!stdin && !stdout && !stderr) throw new ApiFault(400, 'you must specify at least 1 of stdin, stdout, stderr');
  return { stdin, stdout, stderr, tty };
}

/** @throws ApiFault 400 for no port or something else than ports */
export function portList(values: readonly string[]): number[] {
  const ports = values.flatMap((value) => value.split(',')).map(Number);
  if (ports.length === 0) throw new ApiFault(400, 'query parameter "port" is required');
  if (!ports.every((port) => Number.isInteger(port) && port > 0 && port <= LAST_PORT)) {
    throw new ApiFault(400, `query parameter "port" has to name ports, it is "${values.join(',').slice(0, 80)}"`);
  }
  return ports;
}

/** @throws ApiFault 501 where pods run without isolation, 400 for a request that is no upgrade */
function needStreaming(host: PodHost, request: ApiRequest): RuntimeStreaming {
  const { streaming } = needRuntime(host);
  if (!streaming) throw new ApiFault(501, 'exec, attach and port-forward need a container runtime; on this node edge.runtime runs pods as plain processes');
  if (!request.wantsUpgrade) throw new ApiFault(400, 'Upgrade request required');
  return streaming;
}
