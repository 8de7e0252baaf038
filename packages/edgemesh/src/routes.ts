import { route, type Route } from '@edge/core';
import { defineKind, Operations } from '@edge/protocol';
import type { Edgemesh } from './edgemesh.js';

const queryGreeting = defineKind('queryGreeting', { operation: Operations.query, resource: 'default/edgemesh' });

/** Messages that this module handles: kind, lane, handler. */
export const routes: readonly Route<Edgemesh>[] = [
  route(queryGreeting, 'queries', (module: Edgemesh, _body, message) => module.greet(message)),
];
