import type { IncomingMessage } from 'node:http';
import { ApiError } from '../errors.js';

/**
 * Browsers let any page open a WebSocket to any address, send on it and read from it.
 * @throws ApiError Forbidden for a page of another site
 */
export function refuseOtherOrigins({ headers: { origin, host } }: IncomingMessage): void {
  if (origin === undefined || /^[a-z]+:\/\/([^/]+)$/i.exec(origin)?.[1] === host) return;
  throw new ApiError('Forbidden', `pages of ${JSON.stringify(origin.slice(0, 200))} may not open connections: the origin must be this server`);
}
