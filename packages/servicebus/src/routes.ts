import { route, type Route } from '@edge/core';
import { defineKind, Operations } from '@edge/protocol';
import type { Servicebus } from './servicebus.js';

const queryGreeting = defineKind('queryGreeting', { operation: Operations.query, resource: 'default/servicebus' });

/** Messages that this module handles: kind, lane, handler. */
export const routes: readonly Route<Servicebus>[] = [
  route(queryGreeting, 'queries', (module: Servicebus, _body, message) => module.greet(message)),
];
