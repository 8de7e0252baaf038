import type { Pod } from '@edge/protocol';
import { isSidecar } from '../plan/containers.js';

interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

const ANY = new Set(['', '0.0.0.0', '::']);

/** The first port of the machine that the pod wants and one of the others has; undefined when there is none. */
export function portConflict(pod: Pod, others: readonly Pod[]): HostPort | undefined {
  const taken = others.flatMap(hostPorts);
  return hostPorts(pod).find((wanted) =>
    taken.some(({ ip, protocol, port }) => port === wanted.port && protocol === wanted.protocol && (ip === wanted.ip || ANY.has(ip) || ANY.has(wanted.ip))),
  );
}

function hostPorts(pod: Pod): HostPort[] {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
  return containers
    .flatMap(({ ports = [] }) => ports)
    .flatMap(({ hostPort = 0, hostIP = '', protocol = 'TCP' }) => (hostPort > 0 ? [{ ip: hostIP, protocol, port: hostPort }] : []));
}
