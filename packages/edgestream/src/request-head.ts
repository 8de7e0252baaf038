import { hostPort, type ConnectRequest } from '@edge/protocol';
import type { KubeletEndpoint } from './kubelet-endpoint.js';

/** Ours to say: where the request goes, and with which right. */
const OWN = new Set(['host', 'authorization']);

/** Headers of a request to the kubelet, name and value in turns: the cloud's, but for those that are ours to say. */
export function headersFor(request: ConnectRequest, kubelet: KubeletEndpoint): string[] {
  const lines = ['Host', hostPort(kubelet.host, kubelet.port)];
  for (const [name, values] of Object.entries(request.headers)) {
    if (!OWN.has(name.toLowerCase())) for (const value of values) lines.push(name, value);
  }
  if (kubelet.token !== undefined) lines.push('Authorization', `Bearer ${kubelet.token}`);
  return lines;
}

/** Path and query of a request line. */
export function targetOf({ path, query }: ConnectRequest): string {
  return query === '' ? path : `${path}?${query}`;
}

/** The whole head of a request whose answer is passed on unread. */
export function requestHead(request: ConnectRequest, kubelet: KubeletEndpoint): string {
  const headers = headersFor(request, kubelet);
  const lines = [`${request.method ?? 'GET'} ${targetOf(request)} HTTP/1.1`];
  for (let at = 0; at + 1 < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
