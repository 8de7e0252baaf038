import { hostPort, type Container, type HttpGetAction, type IntOrString } from '@edge/protocol';
import { edgedError } from '../errors.js';
import type { HttpCall } from './reach.js';

/** Version of Kubernetes that this agent's pods see. */
const KUBERNETES = '1.32';

/** What has to be known of a container to find its ports. */
export type Ports = Pick<Container, 'ports'>;

/**
 * The number of a port that is given by number, by its name in the container, or by a number in a text.
 * @throws EdgeError `edged.probe-target`
 */
export function portNumber(port: IntOrString, { ports = [] }: Ports): number {
  const number = typeof port === 'number' ? port : (ports.find(({ name }) => name === port)?.containerPort ?? Number(port || Number.NaN));
  if (Number.isNaN(number)) throw edgedError('edged.probe-target', `the container has no port named ${port}`);
  if (!Number.isSafeInteger(number) || number < 1 || number > 65535) throw edgedError('edged.probe-target', `invalid port number: ${port}`);
  return number;
}

/**
 * The request that an `httpGet` action asks for.
 * @param address of the pod, for an action that names no host
 * @param agent what asks: `probe`, `lifecycle`
 * @throws EdgeError `edged.probe-target`
 */
export function httpCall(action: HttpGetAction, container: Ports, address: string | undefined, agent: 'probe' | 'lifecycle'): HttpCall {
  const scheme = (action.scheme || 'http').toLowerCase();
  const authority = hostPort(host(action, address), portNumber(action.port, container));
  const base = `${scheme}://${authority}`;
  if ((scheme !== 'http' && scheme !== 'https') || !URL.canParse(base)) throw edgedError('edged.probe-target', `no address to ask: ${base}`);
  const url = new URL(base);
  const [path = '', query] = splitOnce((action.path ?? '').replace(/#.*$/s, ''), '?');
  url.pathname = path;
  if (query !== undefined) url.search = query;
  return { url: url.href, headers: headers(action, agent) };
}

/**
 * Where a `tcpSocket` or `httpGet` action goes.
 * @throws EdgeError `edged.probe-target` when the pod has no address
 */
export function host(action: { readonly host?: string }, address: string | undefined): string {
  const name = action.host || address;
  if (!name) throw edgedError('edged.probe-target', 'the pod has no address yet');
  return name;
}

function headers({ httpHeaders = [] }: HttpGetAction, agent: string): HttpCall['headers'] {
  const given = httpHeaders.map(({ name, value }) => [name, value] as const);
  const find = (wanted: string): readonly [string, string] | undefined => given.find(([name]) => name.toLowerCase() === wanted);
  const accept = find('accept');
  return [
    ...(find('user-agent') ? [] : [['User-Agent', `kube-${agent}/${KUBERNETES}`] as const]),
    ...(accept ? [] : [['Accept', '*/*'] as const]),
    // An empty one means that there shall be none.
    ...given.filter((header) => header !== accept || header[1] !== ''),
  ];
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
