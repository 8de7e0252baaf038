import type { Container, Pod } from '@edge/protocol';
import { edgedError } from '../errors.js';
import { parseQuantity } from './quantity.js';

/** What a pod may ask about itself beyond its own object. */
export interface PodFacts {
  readonly nodeName: string;
  readonly hostIPs: readonly string[];
  readonly podIPs: readonly string[];
  /** Stands in for limits that are not set: quantities by resource name. */
  readonly allocatable: Readonly<Record<string, string>>;
  /** Where pods find the Kubernetes API; absent when they have none on the node. */
  readonly localApi?: { readonly host: string; readonly port: string } | undefined;
}

const SUBSCRIPT = /^metadata\.(labels|annotations)\['(.*)'\]$/;

/**
 * The value of a `fieldRef`.
 * @throws EdgeError `edged.container-config` for a path that does not exist
 */
export function fieldValue(pod: Pod, path: string, facts: PodFacts): string {
  const subscript = SUBSCRIPT.exec(path);
  if (subscript) return pod.metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name ?? '';
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid ?? '';
    case 'metadata.labels':
      return lines(pod.metadata.labels);
    case 'metadata.annotations':
      return lines(pod.metadata.annotations);
    case 'spec.nodeName':
      return facts.nodeName;
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? '';
    case 'status.hostIP':
      return facts.hostIPs[0] ?? '';
    case 'status.hostIPs':
      return facts.hostIPs.join(',');
    case 'status.podIP':
      return facts.podIPs[0] ?? '';
    case 'status.podIPs':
      return facts.podIPs.join(',');
    default:
      throw edgedError('edged.container-config', `unsupported fieldPath: ${path}`);
  }
}

/**
 * The value of a `resourceFieldRef`, a whole number of divisors, rounded up. A limit that is not set is the node's.
 * @throws EdgeError `edged.container-config`
 */
export function resourceValue(container: Container, resource: string, divisor: string | undefined, facts: PodFacts): string {
  const [kind = '', ...rest] = resource.split('.');
  const name = rest.join('.');
  if ((kind !== 'limits' && kind !== 'requests') || name === '') {
    throw edgedError('edged.container-config', `unsupported container resource: ${resource}`);
  }
  const { limits, requests } = container.resources ?? {};
  const written = kind === 'limits' ? (limits?.[name] ?? facts.allocatable[name]) : (requests?.[name] ?? limits?.[name]);
  const unit = parseQuantity(divisor === undefined || divisor === '' || divisor === '0' ? '1' : divisor);
  const value = parseQuantity(written ?? '0');
  return String(unit <= 0n ? value / 1000n : (value + unit - 1n) / unit);
}

function lines(map: Readonly<Record<string, string>> = {}): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join('\n');
}
