import type { Endpoint } from '../data/service-table.js';
import { endpointKey } from './endpoint.js';

export const STRATEGIES = ['RoundRobin', 'Random', 'LeastConnections'] as const;
/** How one of several equal endpoints is picked. */
export type Strategy = (typeof STRATEGIES)[number];

/** What a choice looks at. */
export interface Choice {
  /** How many choices were made before: 0, 1, 2 … */
  readonly turn: number;
  /** In [0, 1). */
  readonly random: number;
  /** Connections that are open to an endpoint. */
  readonly open: (key: string) => number;
  /** Of those with equally few connections the node's own goes first. */
  readonly node: string;
}

/** One of them; undefined when there is none. Pure. [edgemesh-40] */
export function pick(strategy: Strategy, endpoints: readonly Endpoint[], choice: Choice): Endpoint | undefined {
  if (endpoints.length < 2) return endpoints[0];
  switch (strategy) {
    case 'RoundRobin':
      return endpoints[choice.turn % endpoints.length];
    case 'Random':
      return endpoints[Math.min(endpoints.length - 1, Math.floor(choice.random * endpoints.length))];
    case 'LeastConnections':
      return leastConnections(endpoints, choice);
  }
}

function leastConnections(endpoints: readonly Endpoint[], { open, node, turn }: Choice): Endpoint | undefined {
  const counted = endpoints.map((endpoint) => ({ endpoint, count: open(endpointKey(endpoint)) }));
  const least = Math.min(...counted.map(({ count }) => count));
  const idle = counted.filter(({ count }) => count === least).map(({ endpoint }) => endpoint);
  const own = idle.filter(({ nodeName }) => nodeName === node);
  const equal = own.length > 0 ? own : idle;
  return equal[turn % equal.length];
}
