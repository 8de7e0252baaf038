import { hostname } from 'node:os';
import { isIP } from 'node:net';
import type { IncomingHttpHeaders } from 'node:http';
import type { ShowsToken } from './token-file.js';
import { refused, type Result } from './result.js';

/**
 * Why a request is not let in, by its head alone; undefined when it is. A page in a browser on this machine could reach a port of the
 * loopback: it says where it comes from (`Origin`), or has given its own name to this address (`Host`).
 */
export function refusedByHead(headers: IncomingHttpHeaders, allowed: { readonly host: string; readonly showsToken: ShowsToken | undefined }): Result | undefined {
  if (headers.origin !== undefined || headers['sec-fetch-site'] === 'cross-site') return refused(403, 'requests of web pages are not taken');
  const name = (headers.host ?? '').replace(/:\d*$/, '').replace(/^\[|\]$/g, '').toLowerCase();
  const known = name === '' || isIP(name) !== 0 || [ 'localhost', allowed.host.toLowerCase(), hostname().toLowerCase()].includes(name);
  if (!known) return refused(403, `this is not ${name.slice(0, 100)}; use the address that the server listens on`);
  if (allowed.showsToken !== undefined && !allowed.showsToken(headers.authorization)) return refused(401, 'show the token of edge.serviceBus.tokenFile as Authorization: Bearer');
  return undefined;
}
