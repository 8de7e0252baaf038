import type { Locality } from '../../balance/candidates.js';
import type { Strategy } from '../../balance/strategy.js';
import type { MeshService, ServiceName } from '../../data/service-table.js';
import type { Place } from '../carrier.js';
import type { ProxyLimits } from '../limits.js';
import type { CarriedPort } from '../plan-ways.js';

/** What the thread is given when it starts. */
export interface CarrierSetup {
  readonly limits: ProxyLimits;
  readonly node: string;
  readonly locality: Locality;
  readonly strategy: Strategy;
  /** The kernel leads connections here, so that any port will do; otherwise each listener has its service's own. */
  readonly isLed: boolean;
}

/** To the thread. */
export type ToCarrier =
  | {
      readonly kind: 'sync';
      readonly ports: readonly CarriedPort[];
      /** Services that are new or changed since the last time, and those that are no more. */
      readonly changed: readonly MeshService[];
      readonly gone: readonly ServiceName[];
      /** Keys of endpoints that do not answer the agent's check. */
      readonly dead: readonly string[];
    }
  | { readonly kind: 'count' }
  | { readonly kind: 'end' };

/** From the thread: one answer for each message, in order, and words in between. */
export type FromCarrier =
  | { readonly kind: 'done'; readonly places: readonly (readonly [id: string, places: readonly Place[]])[]; readonly connections: number }
  | { readonly kind: 'says'; readonly text: string };
