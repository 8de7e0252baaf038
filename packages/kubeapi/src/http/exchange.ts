import type { IncomingMessage, ServerResponse } from 'node:http';
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

/** Context whose warnings become `Warning` headers of the answer. Every text goes out once. */
export function contextOf(response: ServerResponse, user: UserInfo, signal: AbortSignal): RequestContext {
  const warnings = new Set<string>();
  return {
    user, signal,
    warn: (text) => {
      if (warnings.has(text) || response.headersSent || warnings.size >= 20) return;
      warnings.add(text);
      const quoted = text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&').slice(0, 1000);
      response.appendHeader('Warning', `299 - "${quoted}"`);
    },
  };
}
