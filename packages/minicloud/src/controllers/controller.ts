import type { Logger } from '@edge/core';
import type { KubeObject, ObjectStore, StoreEvent } from '@edge/kubeapi';
import type { Clients } from '../objects.js';
import type { EventRecorder } from './event-recorder.js';

/** What every controller works with. */
export interface ControllerDeps {
  readonly store: ObjectStore;
  readonly clients: Clients;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly now: () => number;
}

/** Something that keeps a part of the cluster in order until it is stopped. */
export interface Controller {
  start(): void;
  stop(): Promise<void>;
}

/** Objects of one resource as they are committed now. Shared: do not change them. */
export function listAll<T>(store: ObjectStore, resource: string, namespace?: string): T[] {
  return store.list({ resource, ...(namespace === undefined ? {} : { namespace }) }).items as unknown as T[];
}

/** Calls back for everything that is there and for every change. Gives the way to stop. */
export function follow(store: ObjectStore, resource: string, listener: (object: KubeObject, event: StoreEvent | undefined) => void): () => void {
  const { items, resourceVersion } = store.list({ resource });
  for (const object of items) listener(object, undefined);
  return store.watch({ resource, after: resourceVersion }, (event) => listener(event.object, event));
}
