import { route, type Route } from '@edge/core';
import { defineKind, Modules, Operations } from '@edge/protocol';
import type { EdgeMesh } from './edgemesh.js';

/** metamanager's services and endpoints as they change. */
const objectsChanged = defineKind('objectsChanged', { source: Modules.metaManager, operation: Operations.update, resource: 'stored/objects' });

/** Messages that this module handles: kind, lane, handler. */
export const routes: readonly Route<EdgeMesh>[] = [route(objectsChanged, 'objects', (module: EdgeMesh, _body, message) => module.take(message))];
