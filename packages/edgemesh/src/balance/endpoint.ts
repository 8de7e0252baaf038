import { hostPort } from '@edge/protocol';
import type { Endpoint } from '../data/service-table.js';

/** What an endpoint is called in tables of health, affinity and open connections. */
export const endpointKey = ({ address, port }: Pick<Endpoint, 'address' | 'port'>): string => hostPort(address, port);
