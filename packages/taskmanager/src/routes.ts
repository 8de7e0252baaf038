import { route, type Route } from '@edge/core';
import { defineKind, Operations } from '@edge/protocol';
import type { Taskmanager } from './taskmanager.js';

const queryGreeting = defineKind('queryGreeting', { operation: Operations.query, resource: 'default/taskmanager' });

/** Messages that this module handles: kind, lane, handler. */
export const routes: readonly Route<Taskmanager>[] = [
  route(queryGreeting, 'queries', (module: Taskmanager, _body, message) => module.greet(message)),
];
