import type { Pod } from '@edge/protocol';
import { podHostname } from './hostname.js';

export const HOSTS_PATH = '/etc/hosts';

const STANDARD_ENTRIES = [
  ['127.0.0.1', 'localhost'],
  ['::1', 'localhost ip6-localhost ip6-loopback'],
  ['fe00::0', 'ip6-localnet'],
  ['fe00::0', 'ip6-mcastprefix'],
  ['fe00::1', 'ip6-allnodes'],
  ['fe00::2', 'ip6-allrouters'],
];

/**
 * The hosts file of a pod; undefined while a pod with a network of its own has no address yet.
 * @param ofNode text of the node's own hosts file, for pods in the host's network
 */
export function hostsFile(pod: Pod, podIPs: readonly string[], clusterDomain: string, ofNode: string): string | undefined {
  if (pod.spec.hostNetwork) return `# Kubernetes-managed hosts file (host network).\n${ofNode}${aliases(pod)}`;
  if (podIPs.length === 0) return undefined;
  const { hostname, domain } = podHostname(pod, clusterDomain);
  const own = podIPs.map((ip) => (domain === undefined ? [ip, hostname] : [ip, `${hostname}.${domain}`, hostname]));
  return `# Kubernetes-managed hosts file.\n${[...STANDARD_ENTRIES, ...own].map((entry) => `${entry.join('\t')}\n`).join('')}${aliases(pod)}`;
}

function aliases({ spec: { hostAliases = [] } }: Pod): string {
  if (hostAliases.length === 0) return '';
  const lines = hostAliases.map(({ ip, hostnames = [] }) => `${[ip, ...hostnames].join('\t')}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join('')}`;
}
