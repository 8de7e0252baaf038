import { ApiError } from '../errors.js';
import type { ResourceRef } from '../types/resource.js';

/** What a path asks for. */
export type Route =
  | { kind: 'resource'; ref: ResourceRef; subpath: string; watchPrefix: boolean }
  /** `/api`, `/apis`, `/apis/G`, `/api/V`, `/apis/G/V`. */
  | { kind: 'discovery'; level: 'core' | 'groups' | 'group' | 'version'; group: string; version: string }
  | { kind: 'openapi'; version: 'v2' | 'v3'; rest: string }
  | { kind: 'version' }
  | { kind: 'health'; name: string; check: string | undefined }
  | { kind: 'index' };

const NAMESPACE_SUBRESOURCES = ['status', 'finalize'];

/** Takes a path apart. Undefined for one that nothing is served under. Throws BadRequest for a path that is not well-formed. */
export function parsePath(path: string): Route | undefined {
  // Neither `*` nor the whole address that a proxy is asked with.
  if (!path.startsWith('/')) return undefined;
  const segments = path.split('/').slice(1).map(decode);
  if (segments.at(-1) === '') segments.pop();
  if (segments.includes('')) return undefined;
  const [first, ...rest] = segments;
  switch (first) {
    case undefined: return { kind: 'index' };
    case 'api': {
      const [version, ...below] = rest;
      if (version === undefined) return { kind: 'discovery', level: 'core', group: '', version: '' };
      return version === 'v1' ? below.length === 0 ? { kind: 'discovery', level: 'version', group: '', version } : resource('', version, below) : undefined;
    }
    case 'apis': {
      const [group, version, ...below] = rest;
      if (group === undefined) return { kind: 'discovery', level: 'groups', group: '', version: '' };
      if (version === undefined) return { kind: 'discovery', level: 'group', group, version: '' };
      return below.length === 0 ? { kind: 'discovery', level: 'version', group, version } : resource(group, version, below);
    }
    case 'openapi': return rest[0] === 'v2' || rest[0] === 'v3' ? { kind: 'openapi', version: rest[0], rest: rest.slice(1).join('/') } : undefined;
    case 'version': return rest.length === 0 ? { kind: 'version' } : undefined;
    case 'healthz':
    case 'livez':
    case 'readyz': return rest.length <= 1 ? { kind: 'health', name: first, check: rest[0] } : undefined;
    default: return undefined;
  }
}

function decode(segment: string): string {
  if (/^[\w-]*$/.test(segment)) return segment;
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch (cause) {
    throw new ApiError('BadRequest', 'the path is not well-formed', {}, { cause });
  }
  if (text === '.' || text === '..' || /[/\0]/.test(text)) throw new ApiError('BadRequest', 'the path has a segment that is not allowed');
  return text;
}

function resource(group: string, version: string, below: string[]): Route | undefined {
  const watchPrefix = below[0] === 'watch' && below.length > 1;
  const parts = watchPrefix ? below.slice(1) : below;
  if (parts.some((part) => part === '')) return undefined;
  const inNamespace = parts[0] === 'namespaces' && parts.length >= 3 && !NAMESPACE_SUBRESOURCES.includes(parts[2] as string);
  const [plural, name, subresource, ...subpath] = inNamespace ? parts.slice(2) : parts;
  if (plural === undefined) return undefined;
  const ref: ResourceRef = {
    group, version, resource: plural,
    ...(inNamespace ? { namespace: parts[1] as string } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
  return { kind: 'resource', ref, subpath: subpath.join('/'), watchPrefix };
}
