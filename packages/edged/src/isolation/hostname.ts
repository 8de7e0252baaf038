import type { Pod } from '@edge/protocol';
import { edgedError } from '../errors.js';

const LONGEST_NAME = 63;
const LONGEST_NODENAME = 64;

export interface PodHostname {
  readonly hostname: string;
  /** Below the cluster's domain; undefined for a pod without subdomain. */
  readonly domain?: string;
}

/** What a pod is called among others. */
export function podHostname(pod: Pod, clusterDomain = ''): PodHostname {
  const { hostname, subdomain } = pod.spec;
  const name = hostname || (pod.metadata.name ?? '');
  const short = name.length <= LONGEST_NAME ? name : name.slice(0, LONGEST_NAME).replace(/[-.]+$/, '');
  return { hostname: short, ...(subdomain ? { domain: `${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` } : {}) };
}

/**
 * What the kernel calls the pod's machine; undefined for the name of the node.
 * @throws EdgeError `edged.hostname` for a full name that the kernel cannot hold
 */
export function kernelHostname(pod: Pod, clusterDomain: string): string | undefined {
  if (pod.spec.hostNetwork) return undefined;
  const { hostname, domain } = podHostname(pod, clusterDomain);
  if (!pod.spec.setHostnameAsFQDN || domain === undefined) return hostname;
  const full = `${hostname}.${domain}`;
  if (full.length <= LONGEST_NODENAME) return full;
  throw edgedError('edged.hostname', `setHostnameAsFQDN: the full name ${full} has ${full.length} characters, at most ${LONGEST_NODENAME} are possible`);
}
