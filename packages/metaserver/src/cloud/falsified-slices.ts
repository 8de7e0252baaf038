import { isFields, type KubeObject } from '@edge/protocol';

const isFieldsList = (value: unknown): readonly Record<string, unknown>[] => (Array.isArray(value) ? value.filter(isFields) : []);

/**
 * True for an EndpointSlice out of a list of CloudCore that lost its endpoints: the node's own API is put in their place, which is
 * right for `default/kubernetes` alone, but in lists happens to each slice with a port named https. One that is read by itself is
 * as it is. [metaserver-36.3]
 */
export function isFalsified({ metadata, endpoints, ports }: KubeObject): boolean {
  if (metadata.namespace === 'default' && metadata.name === 'kubernetes') return false;
  const [endpoint, ...others] = isFieldsList(endpoints);
  return others.length === 0 && Array.isArray(endpoint?.addresses) && endpoint.addresses[0] === '127.0.0.1' && isFieldsList(ports).some(({ name, port }) => name === 'https' && port === 10_550);
}
