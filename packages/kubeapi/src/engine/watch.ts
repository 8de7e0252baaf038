import { badRequest, expired } from '../errors.js';
import { apiVersionOf, storageName } from '../resource/registry.js';
import { compileSelection } from '../selector/selection.js';
import type { WatchHandle } from '../types/backend.js';
import type { KubeObject, WatchEvent } from '../types/object.js';
import type { WatchOptions } from '../types/requests.js';
import type { ResourceRef, ResourceType } from '../types/resource.js';
import type { ObjectStore, StoreEvent } from '../types/store.js';
import { parseVersion } from './list.js';
import { inVersion } from './versioned.js';

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** A bookmark: nothing happened up to this version that the watcher has not seen. */
export function bookmark(type: ResourceType, version: number, annotations?: Record<string, string>): WatchEvent {
  const metadata = { resourceVersion: String(version), creationTimestamp: null, ...(annotations === undefined ? {} : { annotations }) };
  return { type: 'BOOKMARK', object: { apiVersion: apiVersionOf(type), kind: type.kind, metadata } as unknown as KubeObject };
}

/** Starts a watch; see ApiBackend.watch. */
export function watchObjects(
  store: ObjectStore, type: ResourceType, ref: ResourceRef, options: WatchOptions, sink: (event: WatchEvent) => void,
): WatchHandle {
  const namespace = type.namespaced ? options.namespace ?? ref.namespace : undefined;
  const selects = compileSelection(type, { ...options, ...(ref.name === undefined ? {} : { name: ref.name }) });
  const query = { resource: storageName(type), ...(namespace === undefined ? {} : { namespace }) };
  const asked = options.resourceVersion ?? '';
  if (options.sendInitialEvents === true && options.resourceVersionMatch !== 'NotOlderThan') {
    throw badRequest('sendInitialEvents needs resourceVersionMatch=NotOlderThan');
  }
  const initial = options.sendInitialEvents ?? (asked === '' || asked === '0');
  let open = true;
  const deliver = (event: WatchEvent): void => {
    if (open) sink(event);
  };

  let after = asked === '' || asked === '0' ? store.resourceVersion : parseVersion(asked);
  if (initial) {
    const list = store.list(query);
    after = list.resourceVersion;
    for (const object of list.items) {
      if (selects === undefined || selects(object)) deliver({ type: 'ADDED', object: inVersion(object, type) });
    }
    if (options.sendInitialEvents === true && options.allowBookmarks === true) deliver(bookmark(type, after, { [INITIAL_EVENTS_END]: 'true' }));
  }
  const stop = store.watch({ ...query, after }, (event) => {
    // Whether the object was selected before cannot be told; the client has to list again.
    if (event.isOutline === true && selects !== undefined) throw expired(after, event.resourceVersion);
    const seen = translate(event, selects);
    if (seen !== undefined) deliver({ type: seen.type, object: inVersion(seen.object, type) });
  });
  return {
    close: () => {
      open = false;
      stop();
    },
    // Changes are delivered as they are committed, so the newest version has been reached.
    bookmark: () => (store.resourceVersion > 0 ? bookmark(type, store.resourceVersion) : undefined),
  };
}

/** What a watcher with a selector sees of a change: entering the selection is ADDED, leaving it is DELETED. */
function translate(event: StoreEvent, selects: ((object: KubeObject) => boolean) | undefined): WatchEvent | undefined {
  const { object, previous } = event;
  const is = event.type !== 'deleted' && (selects === undefined || selects(object));
  const was = previous === undefined ? event.isOutline === true && event.type !== 'added' : selects === undefined || selects(previous);
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object };
  if (!was) return undefined;
  if (event.type === 'deleted' || previous === undefined) return { type: 'DELETED', object };
  // The state it had while selected, with the version of the change that took it out.
  return { type: 'DELETED', object: { ...previous, metadata: { ...previous.metadata, resourceVersion: String(event.resourceVersion) } } };
}
