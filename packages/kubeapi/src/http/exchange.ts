import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RequestContext, UserInfo } from '../types/requests.js';

/** One HTTP request under way, with everything that was found out about it. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  method: string;
  path: string;
  query: URLSearchParams;
  user: UserInfo;
  context: RequestContext;
}

/** Splits a request target without building a URL, which would rewrite `..` and escapes. */
export function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const question = target.indexOf('?');
  return question < 0 ? { path: target, query: new URLSearchParams() } : { path: target.slice(0, question), query: new URLSearchParams(target.slice(question + 1)) };
}

function abortedOnClose(connection: ServerResponse | Duplex): AbortController {
  const gone = new AbortController();
  if (connection.closed || connection.destroyed) gone.abort();
  else connection.once('close', () => gone.abort());
  return gone;
}

/** Context whose warnings become `Warning` headers of the answer. Every text goes out once. Its signal aborts when the client goes: when
 * `connection` closes, the answer itself unless the connection has been upgraded. */
export function contextOf(response: ServerResponse, user: UserInfo, connection: ServerResponse | Duplex = response): RequestContext {
  const warnings: string[] = [];
  let gone: AbortController | undefined;
  return {
    user,
    // Made when somebody asks for it: hardly any request has to wait, and a signal costs more than a read.
    get signal(): AbortSignal {
      gone ??= abortedOnClose(connection);
      return gone.signal;
    },
    warn: (text) => {
      if (warnings.includes(text) || response.headersSent || warnings.length >= 20) return;
      warnings.push(text);
      const quoted = text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&').slice(0, 1000);
      response.appendHeader('Warning', `299 - "${quoted}"`);
    },
  };
}
