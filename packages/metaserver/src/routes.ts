import { route, type Route } from '@edge/core';
import { defineKind, Modules, Operations } from '@edge/protocol';
import type { MetaServer } from './metaserver.js';

/** metamanager's objects as they change. */
const objectsChanged = defineKind('objectsChanged', { source: Modules.metaManager, operation: Operations.update, resource: 'stored/objects' });

/** Messages that this module handles: kind, lane, handler. Requests come over HTTP. */
export const routes: readonly Route<MetaServer>[] = [route(objectsChanged, 'objects', (module: MetaServer, _body, message) => module.take(message))];
