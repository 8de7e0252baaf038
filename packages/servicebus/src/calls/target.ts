import { serviceBusError } from '../errors.js';

/** Where on this node a call goes. */
export interface Target {
  readonly port: number;
  /** Path and query as they go into the request line. */
  readonly path: string;
}

/**
 * Reads the resource `<port>:<path>` of a call. The path may hold further colons; upstream refuses those.
 * Source: KubeEdge v1.23, capture 06.
 * @throws EdgeError `servicebus.bad-call`, in upstream's words where it has any
 */
export function parseTarget(resource: string): Target {
  const colon = resource.indexOf(':');
  if (colon < 0) throw badTarget(resource, 'is incorrect: it must be <port>:<path>');
  const digits = resource.slice(0, colon);
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65_535) throw badTarget(resource, 'is incorrect: the port must be from 1 to 65535');
  const rest = resource.slice(colon + 1).replace(/#.*$/s, '');
  if (rest !== '' && !/^[/?]/.test(rest)) throw badTarget(resource, 'is incorrect: the path must begin with /');
  return { port, path: escaped(rest.startsWith('/') ? rest : `/${rest}`) };
}

/** A request line holds visible ASCII alone. */
function escaped(path: string): string {
  return path.replace(/[^\x21-\x7e]+/g, (text) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''));
}

function badTarget(resource: string, what: string): Error {
  return serviceBusError('servicebus.bad-call', `the format of resource ${resource.slice(0, 200)} ${what}`);
}
