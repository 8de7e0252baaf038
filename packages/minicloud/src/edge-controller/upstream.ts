import { ApiError } from '@edge/kubeapi';
import { type Message, Operations, parseResource, ResourceTypes } from '@edge/protocol';
import type { Receiver } from '../hub/dispatch.js';
import type { Handler, HandlerContext } from './context.js';
import { insertCertificateRequest, queryCertificateRequest } from './handlers/certificate-request.js';
import { insertEvent, patchEvent, updateEvent } from './handlers/event.js';
import { insertLease, queryLease, updateLease } from './handlers/lease.js';
import { insertNode, patchNode, queryNode, updateNode } from './handlers/node.js';
import { deletePod, insertPod, patchPod } from './handlers/pod.js';
import { queryObject, queryToken } from './handlers/query.js';
import { authorityReply, objectErrorReply, queryErrorReply, statusOf } from './messages.js';
import { refusalOf } from './permissions.js';

const { insert, update, patch, query } = Operations;

/** Every message of a node that the edge controller serves: type, operation, handler. */
const ROUTES: readonly (readonly [type: string, operation: string, handler: Handler])[] = [
  [ResourceTypes.node, insert, insertNode],
  [ResourceTypes.node, update, updateNode],
  [ResourceTypes.node, query, queryNode],
  [ResourceTypes.nodePatch, patch, patchNode],
  [ResourceTypes.lease, query, queryLease],
  [ResourceTypes.lease, insert, insertLease],
  [ResourceTypes.lease, update, updateLease],
  [ResourceTypes.pod, insert, insertPod],
  [ResourceTypes.podPatch, patch, patchPod],
  [ResourceTypes.pod, Operations.delete, deletePod],
  [ResourceTypes.configMap, query, queryObject('v1', 'configmaps', { namespaced: true })],
  [ResourceTypes.secret, query, queryObject('v1', 'secrets', { namespaced: true })],
  [ResourceTypes.persistentVolumeClaim, query, queryObject('v1', 'persistentvolumeclaims', { namespaced: true })],
  [ResourceTypes.persistentVolume, query, queryObject('v1', 'persistentvolumes', { namespaced: false })],
  [ResourceTypes.volumeAttachment, query, queryObject('storage.k8s.io/v1', 'volumeattachments', { namespaced: false })],
  [ResourceTypes.serviceAccountToken, query, queryToken],
  [ResourceTypes.event, insert, insertEvent],
  [ResourceTypes.event, update, updateEvent],
  [ResourceTypes.event, patch, patchEvent],
  [ResourceTypes.certificateSigningRequest, insert, insertCertificateRequest],
  [ResourceTypes.certificateSigningRequest, query, queryCertificateRequest],
];

/** A 403 in the form that the asker expects. */
function refused(message: Message, type: string, reason: string): Message {
  const status = statusOf(new ApiError('Forbidden', reason));
  const isQuestion = message.route.operation === query && type !== ResourceTypes.lease;
  return isQuestion || message.route.operation === Operations.delete ? queryErrorReply(message, status) : objectErrorReply(message, status);
}

/** Handles what nodes send to the cloud. */
export class Upstream {
  readonly #context: HandlerContext;
  readonly #routes = new Map(ROUTES.map(([type, operation, handler]) => [`${operation} ${type}`, handler]));

  constructor(deps: HandlerContext) {
    this.#context = deps;
  }

  /** The answer to a message, undefined when there is none. Rejects when it cannot be handled. */
  async handle(node: string, message: Message, receiver: Receiver): Promise<Message | undefined> {
    const { log } = this.#context;
    const { operation, resource } = message.route;
    if (receiver === 'authority') return authorityReply(message, this.#context.authorityPem);
    if (receiver === 'error') {
      log.warn('a node could not handle a message', { node, resource, reason: String(message.content).slice(0, 500) });
      return undefined;
    }
    const path = receiver === 'edge' ? parseResource(resource) : undefined;
    const handler = path && this.#routes.get(`${operation} ${path.type}`);
    if (!path || !handler) {
      log.verbose(2, 'nobody handles this message', { node, operation, resource: resource.slice(0, 200), receiver });
      return undefined;
    }
    const request = { node, message, path };
    const refusal = this.#context.authorize ? refusalOf(request, (namespace, name) => this.#nodeOfPod(namespace, name)) : undefined;
    if (refusal !== undefined) {
      log.warn('refused a message of a node', { node, operation, resource, reason: refusal });
      return refused(message, path.type, refusal);
    }
    return handler(request, this.#context);
  }

  #nodeOfPod(namespace: string, name: string): string | undefined {
    const pod = this.#context.clients.pods.find(name, namespace);
    return pod && (pod.spec.nodeName ?? '');
  }
}
