import { candidates, type Locality } from '../balance/candidates.js';
import { ROUTES_ANNOTATION, settingsOf, type HttpRoute } from '../balance/settings.js';
import type { Strategy } from '../balance/strategy.js';
import type { MeshService, ServicePort } from '../data/service-table.js';
import type { KernelPort } from '../intercept/plan-table.js';

/** A port of a service that the agent itself carries. */
export interface CarriedPort {
  /** Told apart by it. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  /** Undefined: bytes are carried as they are. */
  readonly routes: readonly HttpRoute[] | undefined;
}

export interface Ways {
  readonly kernel: readonly KernelPort[];
  readonly carried: readonly CarriedPort[];
  /** What services ask for that makes no sense, in words. */
  readonly mistakes: readonly string[];
}

export interface WaysOptions {
  readonly node: string;
  readonly strategy: Strategy;
  readonly locality: Locality;
  /** Without the kernel's rules the agent carries everything. */
  readonly hasKernel: boolean;
  readonly isDead: (key: string) => boolean;
}

/**
 * Who carries the connections to which port. The kernel, unless a service asks for what the kernel cannot do: routes by
 * host and path, or the endpoint with the fewest connections. Pure. [edgemesh-42]
 */
export function planWays(services: Iterable<MeshService>, options: WaysOptions): Ways {
  const kernel: KernelPort[] = [];
  const carried: CarriedPort[] = [];
  const mistakes: string[] = [];
  for (const service of services) {
    if (service.foreignProxy || service.clusterIPs.length === 0) continue;
    const settings = settingsOf(service, options.strategy);
    mistakes.push(...settings.mistakes);
    for (const port of service.ports) {
      const isTcp = port.protocol === 'TCP';
      const routes = isTcp && service.annotations[ROUTES_ANNOTATION] !== undefined && settings.routes.length > 0 ? settings.routes : undefined;
      if (!options.hasKernel || (isTcp && (routes !== undefined || settings.strategy === 'LeastConnections'))) carried.push(carriedPort(service, port, routes));
      else kernel.push(kernelPort(service, port, settings.strategy, options));
    }
  }
  return { kernel, carried, mistakes };
}

function carriedPort({ namespace, name, clusterIPs }: MeshService, { protocol, port }: ServicePort, routes: readonly HttpRoute[] | undefined): CarriedPort {
  return { id: `${namespace}/${name} ${protocol} ${port}`, namespace, name, addresses: clusterIPs, protocol, port, routes };
}

function kernelPort(service: MeshService, port: ServicePort, strategy: Strategy, { node, locality, isDead }: WaysOptions): KernelPort {
  const rules = { node, locality: service.localOnly ? 'node' as const : locality, isEjected: isDead };
  // Each family by itself: of one, all may be dead.
  const targets = [false, true].flatMap((isIpv6) => candidates(port.endpoints.filter(({ address }) => address.includes(':') === isIpv6), rules));
  return {
    service: `${service.namespace}/${service.name}`,
    addresses: service.clusterIPs,
    protocol: port.protocol,
    port: port.port,
    targets,
    strategy: strategy === 'Random' ? 'Random' : 'RoundRobin',
    ...(service.sessionAffinitySeconds === undefined ? {} : { affinitySeconds: service.sessionAffinitySeconds }),
  };
}
