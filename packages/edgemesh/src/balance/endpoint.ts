import { hostPort } from '@edge/protocol';

/** One place that serves a port of a service, as far as balancing looks at it. */
export interface Endpoint {
  /** IPv4 or IPv6, without brackets. */
  readonly address: string;
  readonly port: number;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly ready: boolean;
  /** It is going away, and still answers. */
  readonly terminating?: boolean;
}

/** What an endpoint is called in tables of health, affinity and open connections. */
export const endpointKey = ({ address, port }: Pick<Endpoint, 'address' | 'port'>): string => hostPort(address, port);
