import type { Endpoint, MeshService, ServicePort, ServiceTable } from '../data/service-table.js';
import { Balancer } from '../balance/balancer.js';
import type { Locality } from '../balance/candidates.js';
import { endpointKey } from '../balance/endpoint.js';
import type { HealthBook } from '../balance/health.js';
import { settingsOf } from '../balance/settings.js';
import type { Strategy } from '../balance/strategy.js';

/** What is asked for an endpoint: the port of a service. */
export interface Backend {
  /** @param source address of the client @param tried keys of endpoints that were tried for this connection */
  choose(source: string, tried: ReadonlySet<string>): Endpoint | undefined;
  opened(endpoint: Endpoint): () => void;
  failed(endpoint: Endpoint): void;
  succeeded(endpoint: Endpoint): void;
}

export interface BackendsDeps {
  readonly table: Pick<ServiceTable, 'get'>;
  readonly health: HealthBook;
  readonly node: string;
  readonly locality: Locality;
  readonly strategy: Strategy;
  /** True for an endpoint that does not answer the agent's own check. */
  readonly isDead: (key: string) => boolean;
  readonly now: () => number;
  readonly random: () => number;
  /** Says that an endpoint is left out, or is back. */
  readonly say: (text: string) => void;
}

interface Kept {
  readonly service: MeshService;
  readonly balancer: Balancer;
  readonly shape: string;
}

/** The ports of services that the agent itself carries connections to. Always as the table is now. */
export class Backends {
  readonly #deps: BackendsDeps;
  readonly #kept = new Map<string, Kept>();

  constructor(deps: BackendsDeps) {
    this.#deps = deps;
  }

  /** @param port undefined: the first TCP port @returns undefined when there is no such port of a service */
  find(namespace: string, name: string, port: number | undefined, protocol: ServicePort['protocol'] = 'TCP'): Backend | undefined {
    const service = this.#deps.table.get(namespace, name);
    const chosen = service?.ports.find((candidate) => candidate.protocol === protocol && (port === undefined || candidate.port === port));
    if (service === undefined || chosen === undefined) return undefined;
    return this.#backend(this.#balancer(`${namespace}/${name} ${protocol} ${chosen.port}`, service, chosen));
  }

  /** Forgets services that are no more. */
  prune(): void {
    for (const [key, { service }] of this.#kept) if (this.#deps.table.get(service.namespace, service.name) === undefined) this.#kept.delete(key);
  }

  #balancer(key: string, service: MeshService, port: ServicePort): Balancer {
    const kept = this.#kept.get(key);
    if (kept?.service === service) return kept.balancer;
    const { node, health, now, random, isDead } = this.#deps;
    const locality = service.localOnly ? 'node' : this.#deps.locality;
    const { strategy } = settingsOf(service, this.#deps.strategy);
    const shape = `${locality} ${strategy} ${service.sessionAffinitySeconds}`;
    const options = { strategy, ...(service.sessionAffinitySeconds === undefined ? {} : { affinitySeconds: service.sessionAffinitySeconds }) };
    // Turns and sources that are remembered outlive a change of endpoints.
    const balancer = kept?.shape === shape ? kept.balancer : new Balancer({ health, isDead, rules: { node, locality }, options, now, random });
    balancer.setEndpoints(port.endpoints);
    this.#kept.set(key, { service, balancer, shape });
    return balancer;
  }

  #backend(balancer: Balancer): Backend {
    const { health, now, say } = this.#deps;
    return {
      choose: (source, tried) => balancer.choose(source, tried),
      opened: (endpoint) => balancer.opened(endpoint),
      failed: (endpoint) => {
        if (health.failed(endpointKey(endpoint), now())) say(`endpoint ${endpointKey(endpoint)} refuses connections and is left out for a while`);
      },
      succeeded: (endpoint) => {
        if (health.succeeded(endpointKey(endpoint))) say(`endpoint ${endpointKey(endpoint)} takes connections again`);
      },
    };
  }
}
