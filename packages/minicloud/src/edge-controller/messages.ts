import { createMessage, createResponse, formatResource, CLUSTER_SCOPE, Groups, type Message, objectResponseContent, OK, Sources, type Status } from '@edge/protocol';
import type { StoredNode } from '../objects.js';

/** What an outgoing message needs of an object. */
export interface Sendable {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly resourceVersion?: string };
}

/** Tells a node of an object: `<namespace>/<type>/<name>`, the version in the header, kind and apiVersion first. */
export function pushMessage(operation: 'insert' | 'update' | 'delete', type: string, object: Sendable, source: string = Sources.edgeController): Message {
  const { kind, apiVersion, ...rest } = object;
  return createMessage({
    source, group: Groups.resource, operation,
    resource: formatResource({ namespace: object.metadata.namespace ?? CLUSTER_SCOPE, type, name: object.metadata.name }),
    resourceVersion: object.metadata.resourceVersion ?? '',
    content: { kind, apiVersion, ...rest },
  });
}

/** `"OK"`. */
export function okReply(request: Message): Message {
  return reply(request, OK);
}

/** The answer to a write: `{"Object","Err":null}`, the object without kind and apiVersion. */
export function objectReply(request: Message, object: Sendable, options: { withVersion?: boolean; withKind?: boolean } = {}): Message {
  const { kind, apiVersion, ...rest } = object;
  const body = options.withKind ? { kind, apiVersion, ...rest } : rest;
  return reply(request, objectResponseContent(body), options.withVersion ? object.metadata.resourceVersion : undefined);
}

/** The answer to a write that failed: `{"Object","Err":{"ErrStatus":…}}`. */
export function objectErrorReply(request: Message, status: Status, object: unknown = null): Message {
  return reply(request, objectResponseContent(object, status));
}

/** The answer to a question: the object itself. */
export function queryReply(request: Message, object: Sendable): Message {
  const { kind, apiVersion, ...rest } = object;
  return reply(request, { kind, apiVersion, ...rest }, object.metadata.resourceVersion);
}

/** The answer to a question that failed: `{"ErrStatus":…}`. */
export function queryErrorReply(request: Message, status: Status): Message {
  return reply(request, { ErrStatus: status });
}

/** An answer without a version and with any content. */
export function reply(request: Message, content: unknown, resourceVersion?: string): Message {
  const answer = createResponse(request, content, { source: Sources.edgeController, group: Groups.resource });
  return resourceVersion === undefined ? answer : { ...answer, header: { ...answer.header, resourceVersion } };
}

/** The cluster's authority, from CloudHub itself. */
export function authorityReply(request: Message, pem: string): Message {
  return createResponse(request, pem, { source: Sources.cloudHub, group: Groups.resource });
}

/**
 * What stands in `Object` when a node registers that exists already: upstream's node with nothing but the labels that
 * it takes out before it creates. The node learns the rest by a push.
 */
export function existingNodeBody(labels: StoredNode['metadata']['labels']): object {
  const none = { machineID: '', systemUUID: '', bootID: '', kernelVersion: '', osImage: '', containerRuntimeVersion: '', kubeletVersion: '', kubeProxyVersion: '', operatingSystem: '', architecture: '' };
  return {
    metadata: { creationTimestamp: null, ...(labels ? { labels } : {}) }, spec: {},
    status: { daemonEndpoints: { kubeletEndpoint: { Port: 0 } }, nodeInfo: none },
  };
}

/** A 404 in the words of CloudCore's caches: the kind in lower case and singular. */
export function notFoundStatus(type: string, name: string, group = ''): Status {
  const subject = group === '' ? type : `${type}.${group}`;
  return {
    metadata: {}, status: 'Failure', message: `${subject} "${name}" not found`, reason: 'NotFound',
    details: { name, ...(group === '' ? {} : { group }), kind: type }, code: 404,
  };
}

/** The status of any failure, as it stands in `ErrStatus`: without kind and apiVersion. */
export function statusOf(error: unknown): Status {
  if (typeof error === 'object' && error !== null && 'toStatus' in error && typeof error.toStatus === 'function') {
    const { kind: _kind, apiVersion: _apiVersion, ...status } = (error as { toStatus(): Status }).toStatus();
    return status;
  }
  return { metadata: {}, status: 'Failure', message: error instanceof Error ? error.message : String(error), reason: 'InternalError', code: 500 };
}

