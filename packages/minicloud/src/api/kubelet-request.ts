import type { IncomingMessage } from 'node:http';
import { badRequest, type CommandStreams } from '@edge/kubeapi';
import type { ConnectRequest } from '@edge/protocol';
import type { StoredPod } from '../objects.js';

/** A request for a kubelet, without the number that the tunnel gives it. */
export type KubeletRequest = Omit<ConnectRequest, 'id'>;

/** What stays here: who asked and where. */
const KEPT_BACK = /^(host|authorization|cookie|origin|x-forwarded-for|impersonate-.*)$/i;
/** Programs in browsers, which cannot set headers, show their token in the place of a protocol. */
const TOKEN_PROTOCOL = 'base64url.bearer.authorization.k8s.io.';
const LOG_OPTIONS = ['follow', 'previous', 'sinceSeconds', 'sinceTime', 'timestamps', 'tailLines', 'limitBytes', 'stream'];

/** Headers of a caller as an API server passes them on, names in Go's spelling. */
export function forwardedHeaders(request: IncomingMessage): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = canonical(request.rawHeaders[at] as string);
    const given = request.rawHeaders[at + 1] as string;
    const value = name === 'Sec-Websocket-Protocol' ? protocolsOf(given) : given;
    if (!KEPT_BACK.test(name) && (value !== '' || given === '')) (headers[name] ??= []).push(value);
  }
  const from = request.socket.remoteAddress?.replace(/^::ffff:/, '');
  return from === undefined ? headers : { ...headers, 'X-Forwarded-For': [from] };
}

/** `GET /containerLogs/…` with what the caller wants of it. */
export function logRequest(pod: StoredPod, container: string, query: URLSearchParams): KubeletRequest {
  return {
    method: 'GET',
    path: pathOf('containerLogs', pod, container),
    query: queryOf(LOG_OPTIONS.flatMap((name) => query.getAll(name).slice(0, 1).map((value): [string, string] => [name, value]))),
    // One answer a session: the end of the connection is its end.
    headers: { Connection: ['close'], 'User-Agent': ['Go-http-client/1.1'] },
  };
}

/** Streams that a caller of exec or attach asks for. */
export function wantedStreams(query: URLSearchParams): CommandStreams {
  const on = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  return { stdin: on('stdin'), stdout: on('stdout'), stderr: on('stderr'), tty: on('tty') };
}

/** `/exec/…`, `/attach/…` and `/portForward/…`, the caller's method and headers kept. */
export function streamRequest(kind: 'exec' | 'attach' | 'portForward', pod: StoredPod, container: string | undefined, query: URLSearchParams, request: IncomingMessage): KubeletRequest {
  const wanted = wantedStreams(query);
  const streams = [['stdin', 'input'], ['stdout', 'output'], ['stderr', 'error'], ['tty', 'tty']] as const;
  const parameters: [string, string][] = kind === 'portForward'
    ? query.getAll('ports').map((port) => ['port', port])
    : [...(kind === 'exec' ? query.getAll('command').map((word): [string, string] => ['command', word]) : []), ...streams.filter(([name]) => wanted[name]).map(([, name]): [string, string] => [name, '1'])];
  return { method: request.method ?? 'GET', path: pathOf(kind, pod, container), query: queryOf(parameters), headers: forwardedHeaders(request) };
}

/**
 * The container that is meant: the one named, or the only one.
 * @throws ApiError BadRequest as an API server words it
 */
export function chooseContainer(pod: StoredPod, asked: string | null): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const names = containers.map(({ name }) => name);
  const all = [...names, ...initContainers.map(({ name }) => name), ...ephemeralContainers.map(({ name }) => name)];
  if (asked !== null && asked !== '') {
    if (all.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
  }
  if (names.length === 1) return names[0] as string;
  const init = initContainers.length > 0 ? ` or one of the init containers: [${initContainers.map(({ name }) => name).join(' ')}]` : '';
  throw badRequest(`a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names.join(' ')}]${init}`);
}

function protocolsOf(header: string): string {
  return header.split(',').map((name) => name.trim()).filter((name) => !name.startsWith(TOKEN_PROTOCOL)).join(', ');
}

function pathOf(kind: string, pod: StoredPod, container: string | undefined): string {
  const parts = [kind, pod.metadata.namespace ?? 'default', pod.metadata.name, ...(container === undefined ? [] : [container])];
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

/** In Go's order and spelling. */
function queryOf(parameters: readonly [string, string][]): string {
  const sorted = [...parameters].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted.map(([name, value]) => `${name}=${encodeURIComponent(value).replace(/%20/g, '+').replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)}`).join('&');
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
