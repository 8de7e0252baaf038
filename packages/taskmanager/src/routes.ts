import { route, type Route } from '@edge/core';
import { createResponse, Modules } from '@edge/protocol';
import { confirmUpgrade, connectionNotice, jobOrdered, taskOrdered } from './kinds.js';
import type { TaskManager } from './taskmanager.js';

/** What taskmanager handles. One lane: who comes first is first. Orders are only taken here; they are carried out side by side. */
export const routes: readonly Route<TaskManager>[] = [
  route(connectionNotice, 'orders', () => undefined),
  route(confirmUpgrade, 'orders', async (module: TaskManager, _body, message) => createResponse(message, await module.confirm(), { source: Modules.taskManager })),
  route(jobOrdered, 'orders', (module: TaskManager, _body, message) => module.jobs.take(message)),
  route(taskOrdered, 'orders', (module: TaskManager, _body, message) => module.tasks.take(message)),
];
