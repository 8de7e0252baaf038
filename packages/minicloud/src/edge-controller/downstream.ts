import type { KubeObject, ObjectStore, StoreEvent } from '@edge/kubeapi';
import type { Message } from '@edge/protocol';
import type { StoredPod } from '../objects.js';
import { pushMessage, type Sendable } from './messages.js';
import type { OwnWrites } from './own-writes.js';
import { ReferenceIndex } from './references.js';

/** What the pushes go to: the hub. */
export interface PushTarget {
  push(node: string, message: Message): boolean;
  noteOwnWrite(node: string, uid: string, before: string, version: string): void;
  forgetNode(node: string): void;
}

export interface DownstreamDeps {
  readonly store: ObjectStore;
  readonly hub: PushTarget;
  readonly ownWrites: OwnWrites;
}

/** Follows the objects that concern nodes and tells the nodes. */
export class Downstream {
  readonly #deps: DownstreamDeps;
  readonly #references = new ReferenceIndex();
  readonly #stops: (() => void)[] = [];
  #waiting: (() => void)[] = [];

  constructor(deps: DownstreamDeps) {
    this.#deps = deps;
  }

  /** Tells of everything that is there, then of every change. */
  start(): void {
    // Pods come first: they say which nodes use a ConfigMap.
    this.#follow('pods', (event) => this.#pod(event));
    this.#follow('nodes', (event) => this.#node(event));
    this.#follow('configmaps', (event) => this.#configuration('configmap', event));
    this.#follow('secrets', (event) => this.#configuration('secret', event));
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#waiting = [];
  }

  #follow(resource: string, handle: (event: StoreEvent) => void): void {
    const { store } = this.#deps;
    const { items, resourceVersion } = store.list({ resource });
    for (const object of items) {
      const key = { resource, namespace: object.metadata.namespace ?? '', name: object.metadata.name };
      handle({ type: 'added', key, resourceVersion: Number(object.metadata.resourceVersion), object, previous: undefined });
    }
    this.#stops.push(store.watch({ resource, after: resourceVersion }, (event) => this.#later(() => handle(event))));
  }

  /** One turn later, so that whoever wrote has had the time to say that the write was the node's own. */
  #later(work: () => void): void {
    this.#waiting.push(work);
    if (this.#waiting.length > 1) return;
    setImmediate(() => {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const step of batch) step();
    });
  }

  #pod({ type, object, previous }: StoreEvent): void {
    const pod = object as unknown as StoredPod;
    const node = pod.spec.nodeName;
    if (type === 'deleted') this.#references.remove(pod.metadata.uid);
    else this.#references.set(pod);
    if (!node) return;
    if (type === 'deleted') {
      // It ran to its end or nobody waits for it any more: no grace is left.
      const last: KubeObject = { ...object, metadata: { ...object.metadata, deletionGracePeriodSeconds: 0 } };
      this.#push(node, 'delete', 'pod', last);
    } else if (type === 'added') {
      this.#push(node, pod.metadata.deletionTimestamp === undefined ? 'insert' : 'update', 'pod', object);
    } else if (!this.#isOwnWrite(node, object, previous)) {
      this.#push(node, 'update', 'pod', object);
    }
  }

  #node({ type, object, previous }: StoreEvent): void {
    const { name } = object.metadata;
    if (type === 'deleted') this.#deps.hub.forgetNode(name);
    else if (!this.#isOwnWrite(name, object, previous)) this.#push(name, 'update', 'node', object);
  }

  #configuration(kind: 'configmap' | 'secret', { type, object }: StoreEvent): void {
    const operation = type === 'deleted' ? 'delete' : type === 'added' && kind === 'configmap' ? 'insert' : 'update';
    const { namespace, name } = object.metadata;
    for (const node of this.#references.nodesUsing(`${kind}/${namespace ?? ''}/${name}`)) this.#push(node, operation, kind, object);
  }

  #isOwnWrite(node: string, object: KubeObject, previous: KubeObject | undefined): boolean {
    const { uid, resourceVersion } = object.metadata;
    if (!previous || !this.#deps.ownWrites.take(node, uid, resourceVersion)) return false;
    this.#deps.hub.noteOwnWrite(node, uid, previous.metadata.resourceVersion, resourceVersion);
    return true;
  }

  #push(node: string, operation: 'insert' | 'update' | 'delete', type: string, object: Sendable): void {
    this.#deps.hub.push(node, pushMessage(operation, type, object));
  }
}
