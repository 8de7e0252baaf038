import { CriError, CriErrors } from './errors.js';

/**
 * The path of the socket that an endpoint names: `unix:///run/x.sock`, or only the path.
 * @throws CriError `runtime.bad-endpoint` for anything else
 */
export function socketPath(endpoint: string): string {
  const path = /^(?:unix:(?:\/\/)?)?(\/.+)$/.exec(endpoint.trim())?.[1];
  if (path === undefined) {
    throw new CriError(CriErrors.badEndpoint, `"${endpoint}" is no endpoint of a container runtime; write unix:///path/to/socket`, { socket: endpoint, call: '' });
  }
  return path;
}
