import { route, type Route } from '@edge/core';
import { defineKind } from '@edge/protocol';
import { deliveryOf, type Rank } from './delivery-of.js';
import type { EdgeHub } from './edgehub.js';

/** Whatever a module sends to group `hub` is for the cloud; `deliveryOf` is the table that tells how it travels. */
const upward = defineKind('upward', {});

const LANES: Readonly<Record<Rank, string>> = { urgent: 'urgent', normal: 'direct', background: 'background' };

/**
 * One lane per way of travelling, so that a query that waits for the throttle holds up no acknowledgement and no lease.
 * Within a lane order is kept.
 */
export const routes: readonly Route<EdgeHub>[] = [
  route(
    upward,
    (message) => {
      const delivery = deliveryOf(message);
      if (delivery.lane === 'direct') return LANES[delivery.rank];
      return delivery.lane === 'reply' ? 'reply' : 'outbox';
    },
    (hub: EdgeHub, _body, message) => hub.toCloud(message),
  ),
];
