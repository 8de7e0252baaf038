import type { Endpoint } from '../data/service-table.js';
import { endpointKey } from './endpoint.js';

/** What decides which endpoints of a port are asked at all. */
export interface CandidateRules {
  /** Name of this node. */
  readonly node: string;
  readonly zone?: string;
  /** `spread`: all alike. `near`: those of this node while there are any, then those of its zone. `node`: those of this node and no others. */
  readonly locality: Locality;
  /** True for an endpoint that was found dead. */
  readonly isEjected: (key: string) => boolean;
}

export type Locality = 'spread' | 'near' | 'node';

/**
 * The endpoints that a new connection may go to, in a fixed order. Ready ones; when none is, those that end and still
 * answer. Dead ones are left out as long as another is left: a wrong opinion about all must not close the service. [edgemesh-40]
 */
export function candidates(endpoints: readonly Endpoint[], rules: CandidateRules): readonly Endpoint[] {
  const here = rules.locality === 'node' ? endpoints.filter(({ nodeName }) => nodeName === rules.node) : endpoints;
  const usable = firstFilled(
    here.filter(({ ready }) => ready),
    here.filter(({ terminating, serving }) => terminating === true && serving === true),
  );
  const alive = firstFilled(usable.filter((endpoint) => !rules.isEjected(endpointKey(endpoint))), usable);
  const chosen = rules.locality === 'near' ? nearest(alive, rules) : alive;
  return [...new Map(chosen.map((endpoint) => [endpointKey(endpoint), endpoint])).entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}

function nearest(endpoints: readonly Endpoint[], { node, zone }: CandidateRules): readonly Endpoint[] {
  return firstFilled(
    endpoints.filter(({ nodeName }) => nodeName === node),
    endpoints.filter((endpoint) => zone !== undefined && endpoint.zone === zone),
    endpoints,
  );
}

function firstFilled<T>(...lists: readonly (readonly T[])[]): readonly T[] {
  return lists.find((list) => list.length > 0) ?? [];
}
