import { route, type Route } from '@edge/core';
import { defineKind, Operations } from '@edge/protocol';
import type { Eventbus } from './eventbus.js';

const queryGreeting = defineKind('queryGreeting', { operation: Operations.query, resource: 'default/eventbus' });

/** Messages that this module handles: kind, lane, handler. */
export const routes: readonly Route<Eventbus>[] = [
  route(queryGreeting, 'queries', (module: Eventbus, _body, message) => module.greet(message)),
];
