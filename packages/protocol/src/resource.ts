import { ProtocolError } from './errors.js';

/** A resource path `<namespace>/<type>[/<name>]`; the namespace is `null` for cluster scope. */
export interface ResourcePath {
  readonly namespace: string;
  readonly type: string;
  /** Empty for a list. */
  readonly name: string;
}

/** `<namespace>/<type>[/<name>]`. */
export function formatResource(path: { namespace: string; type: string; name?: string }): string {
  return path.name ? `${path.namespace}/${path.type}/${path.name}` : `${path.namespace}/${path.type}`;
}

/**
 * Reads `<namespace>/<type>[/<name>]`; a leading `node/<node>/` (the cloud's internal form) is cut off.
 * A name may hold further slashes.
 * @throws ProtocolError `protocol.resource`
 */
export function parseResource(resource: string): ResourcePath {
  const segments = resource.split('/');
  const parts = segments[0] === 'node' && segments.length >= 4 ? segments.slice(2) : segments;
  const [namespace, type, ...name] = parts;
  if (!namespace || !type) {
    throw new ProtocolError('protocol.resource', `resource "${resource.slice(0, 120)}" is not <namespace>/<type>[/<name>]`);
  }
  return { namespace, type, name: name.join('/') };
}

/** The type segment, or `''` when the resource has no such form. Never throws. */
export function resourceType(resource: string): string {
  const segments = resource.split('/');
  return (segments[0] === 'node' && segments.length >= 4 ? segments[3] : segments[1]) ?? '';
}
