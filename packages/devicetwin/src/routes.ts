import { route, type Route } from '@edge/core';
import { defineKind, Operations } from '@edge/protocol';
import type { Devicetwin } from './devicetwin.js';

const queryGreeting = defineKind('queryGreeting', { operation: Operations.query, resource: 'default/devicetwin' });

/** Messages that this module handles: kind, lane, handler. */
export const routes: readonly Route<Devicetwin>[] = [
  route(queryGreeting, 'queries', (module: Devicetwin, _body, message) => module.greet(message)),
];
