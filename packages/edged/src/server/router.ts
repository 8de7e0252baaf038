import type { IncomingMessage } from 'node:http';
import { ApiFault, type ApiAnswer } from './answer.js';

/** One request, its path already taken apart. */
export interface ApiRequest {
  readonly method: string;
  /** Values of the pattern's names, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The client asks to go on with another protocol on this connection. */
  readonly wantsUpgrade: boolean;
  readonly raw: IncomingMessage;
  /** Aborts when the client is gone or the server ends. */
  readonly signal: AbortSignal;
}

export type Handler = (request: ApiRequest) => ApiAnswer | Promise<ApiAnswer>;

export interface ApiRoute {
  readonly methods: readonly string[];
  /** Segments; `:name` takes one, `*name` as the last takes the rest. */
  readonly path: string;
  readonly handle: Handler;
}

export interface Match {
  readonly route: ApiRoute;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Finds the route of a path. Empty segments do not count: MetaServer asks for `//containerLogs/…`.
 * @throws ApiFault 404, 405, 400 for a path that cannot be decoded
 */
export function findRoute(routes: readonly ApiRoute[], method: string, pathname: string): Match {
  const segments = decodePath(pathname);
  let known = false;
  for (const route of routes) {
    const params = matchPath(route.path, segments);
    if (!params) continue;
    if (route.methods.includes(method)) return { route, params };
    known = true;
  }
  if (known) throw new ApiFault(405, `method ${method} is not served here`);
  throw new ApiFault(404, '404 page not found');
}

/** Path and query of a request line. `new URL` would take the first segment of `//a/b` for a host. */
export function splitTarget(target: string): { pathname: string; query: URLSearchParams } {
  const at = target.indexOf('?');
  return at < 0
    ? { pathname: target, query: new URLSearchParams() }
    : { pathname: target.slice(0, at), query: new URLSearchParams(target.slice(at + 1)) };
}

function decodePath(pathname: string): string[] {
  try {
    return pathname
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
  } catch {
    throw new ApiFault(400, 'the path is not properly encoded');
  }
}

function matchPath(pattern: string, segments: readonly string[]): Record<string, string> | undefined {
  const parts = pattern.split('/').filter((part) => part !== '');
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    if (part.startsWith('*')) {
      params[part.slice(1)] = segments.slice(index).join('/');
      return params;
    }
    const segment = segments[index];
    if (segment === undefined) return undefined;
    if (part.startsWith(':')) params[part.slice(1)] = segment;
    else if (part !== segment) return undefined;
  }
  return segments.length === parts.length ? params : undefined;
}
