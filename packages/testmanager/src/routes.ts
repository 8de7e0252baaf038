import { route, type Route } from '@edge/core';
import { defineKind, Operations } from '@edge/protocol';
import type { Testmanager } from './testmanager.js';

const queryGreeting = defineKind('queryGreeting', { operation: Operations.query, resource: 'default/testmanager' });

/** Messages that this module handles: kind, lane, handler. */
export const routes: readonly Route<Testmanager>[] = [
  route(queryGreeting, 'queries', (module: Testmanager, _body, message) => module.greet(message)),
];
