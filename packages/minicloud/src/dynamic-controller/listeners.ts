import { badRequest, matchesLabels, parseFieldSelector, parseLabelSelector, type KubeApi, type KubeObject, type ResourceType, type WatchHandle } from '@edge/kubeapi';
import { type Message, Sources } from '@edge/protocol';
import { pushMessage } from '../edge-controller/messages.js';
import { type Application, optionsOf } from './application.js';
import { refOf } from './api-request.js';

/** So many collections one node may listen to. */
const LIMIT = 1000;

const OPERATIONS = { ADDED: 'insert', MODIFIED: 'update', DELETED: 'delete' } as const;

export interface ListenersDeps {
  readonly api: KubeApi;
  readonly push: (node: string, message: Message) => void;
}

interface Listener {
  /** Undefined until what was there has been sent. */
  handle: WatchHandle | undefined;
}

/**
 * Collections whose changes are sent to nodes, by node and application. They live as long as the process: nodes name
 * theirs again with `watchapp/sync`.
 */
export class Listeners {
  readonly #deps: ListenersDeps;
  readonly #byNode = new Map<string, Map<string, Listener>>();

  constructor(deps: ListenersDeps) {
    this.#deps = deps;
  }

  ids(node: string): string[] {
    return [...(this.#byNode.get(node)?.keys() ?? [])];
  }

  /**
   * Sends all objects of the collection that an application names, then every change. Adding one twice does nothing. As with CloudCore
   * the node is told nothing when an object leaves the selection.
   * @throws ApiError for a collection that is not served or a selector that is none; EdgeError as `refOf`, `optionsOf`
   */
  async add(application: Application): Promise<void> {
    const { api, push } = this.#deps;
    const { ID, Nodename: node } = application;
    const listeners = this.#of(node);
    if (listeners.has(ID)) return;
    if (listeners.size >= LIMIT) throw badRequest(`node ${node} listens to ${LIMIT} collections already`);
    const { name: _name, ...ref } = refOf(application.Key);
    const selects = selectionOf(api.registry.find(ref), ref.namespace, optionsOf(application));
    const listener: Listener = { handle: undefined };
    listeners.set(ID, listener);
    const send = (type: keyof typeof OPERATIONS, object: KubeObject): void => {
      if (listeners.get(ID) === listener) push(node, pushMessage(OPERATIONS[type], object.kind.toLowerCase(), object, Sources.dynamicController));
    };
    try {
      let isLive = false;
      listener.handle = await api.watch(ref, {}, ({ type, object }) => {
        if (!(type in OPERATIONS) || !selects(object)) return;
        // One turn later: whoever wrote has then said which node's own write it was.
        if (isLive) setImmediate(send, type as keyof typeof OPERATIONS, object);
        else send(type as keyof typeof OPERATIONS, object);
      });
      isLive = true;
    } catch (error) {
      listeners.delete(ID);
      throw error;
    }
    // Taken away while it was being added.
    if (listeners.get(ID) !== listener) listener.handle.close();
  }

  remove(node: string, id: string): void {
    const listeners = this.#byNode.get(node);
    listeners?.get(id)?.handle?.close();
    listeners?.delete(id);
    if (listeners?.size === 0) this.#byNode.delete(node);
  }

  /** Ends all of a node. */
  forget(node: string): void {
    for (const id of this.ids(node)) this.remove(node, id);
  }

  close(): void {
    for (const node of [...this.#byNode.keys()]) this.forget(node);
  }

  #of(node: string): Map<string, Listener> {
    let listeners = this.#byNode.get(node);
    if (!listeners) this.#byNode.set(node, (listeners = new Map()));
    return listeners;
  }
}

/** A field that is not there is empty. Of pods CloudCore (v1.12 to v1.23) knows the name and, by a name of its own, the namespace. */
function selectionOf(type: ResourceType | undefined, namespace: string | undefined, options: Readonly<Record<string, unknown>>): (object: KubeObject) => boolean {
  const text = (name: string): string => (typeof options[name] === 'string' ? options[name] : '');
  const labels = text('labelSelector') === '' ? [] : parseLabelSelector(text('labelSelector'));
  const fields = parseFieldSelector(text('fieldSelector'));
  const isPod = type?.group === '' && type.plural === 'pods';
  // It looks for the usual name of the field, and finds none.
  if (isPod && namespace !== undefined) return () => false;
  const ofPod = ({ metadata }: KubeObject, field: string): string => (field === 'metadata.name' ? metadata.name : field === 'metadata.namespaces' ? metadata.namespace ?? '' : '');
  const valueOf = (object: KubeObject, field: string): string =>
    isPod ? ofPod(object, field) : field === 'metadata.name' ? object.metadata.name : field === 'metadata.namespace' ? object.metadata.namespace ?? '' : String(type?.selectableFields?.[field]?.(object) ?? '');
  return (object) => matchesLabels(labels, object.metadata.labels) && fields.every(({ field, equal, value }) => (valueOf(object, field) === value) === equal);
}
