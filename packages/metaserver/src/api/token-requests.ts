import { errorText, type MessageBus, type NodeIdentity } from '@edge/core';
import { ApiError, badRequest, type KubeObject, type SubresourceHandler, type SubresourceRequest } from '@edge/kubeapi';
import { createMessage, errorStatus, Groups, isFields, Operations, ResourceTypes, Sources, type Fields, type Message } from '@edge/protocol';
import { refusalOf } from '../cloud/refusal.js';
import type { ObjectCopy } from '../copy/object-copy.js';

/** Longer than metamanager waits for the cloud by default, so that its answer and not this limit says what went wrong. */
const PATIENCE_MS = 70_000;

/** Group of all whose name is known. */
const AUTHENTICATED = 'system:authenticated';

export interface TokenRequestsDeps {
  readonly bus: MessageBus;
  readonly identity: NodeIdentity;
  readonly copy: ObjectCopy;
}

/**
 * `POST …/serviceaccounts/NAME/token`: metamanager asks the cloud as it does for volumes, and answers without the cloud
 * from the tokens that it keeps. Who does not say who he is gets only tokens of pods of this node. [metaserver-40]
 */
export function tokenRequests(deps: TokenRequestsDeps): SubresourceHandler {
  return {
    group: '', plural: 'serviceaccounts', subresource: 'token',
    async handle(request) {
      if (request.verb !== 'create') throw new ApiError('MethodNotAllowed', `${request.verb} is not served for serviceaccounts/token`);
      const spec = readSpec(request);
      if (!request.context.user?.groups.includes(AUTHENTICATED)) mustBeOfOwnPod(deps, request, spec);
      return answerOf(request, await ask(deps.bus, request, spec));
    },
  };
}

function readSpec({ body }: SubresourceRequest): Fields {
  const spec = isFields(body) ? body.spec : undefined;
  if (!isFields(spec)) throw badRequest('a TokenRequest needs a spec');
  const { audiences = null, expirationSeconds, boundObjectRef } = spec;
  if (audiences !== null && !(Array.isArray(audiences) && audiences.every((audience) => typeof audience === 'string'))) throw badRequest('spec.audiences must be a list of texts');
  if (expirationSeconds !== undefined && expirationSeconds !== null && !Number.isSafeInteger(expirationSeconds)) throw badRequest('spec.expirationSeconds must be a whole number of seconds');
  if (boundObjectRef !== undefined && boundObjectRef !== null && !isFields(boundObjectRef)) throw badRequest('spec.boundObjectRef must be an object');
  // As edged asks, so that both find the same token.
  return { audiences: audiences?.length === 0 ? null : audiences, ...(expirationSeconds ? { expirationSeconds } : {}), ...(boundObjectRef ? { boundObjectRef } : {}) };
}

/** The rule of an API server for what nodes may ask for. */
function mustBeOfOwnPod({ identity, copy }: TokenRequestsDeps, { ref: { namespace = '', name } }: SubresourceRequest, { boundObjectRef: bound }: Fields): void {
  const refuse = (why: string): ApiError => new ApiError('Forbidden', `serviceaccounts "${name}" is forbidden: node ${identity.name} gives to somebody unknown (see the feature gate requireAuthorization) only tokens of its own pods: ${why}`);
  if (!isFields(bound) || bound.kind !== 'Pod' || typeof bound.name !== 'string') throw refuse('spec.boundObjectRef names no pod');
  const pod = copy.store.get({ resource: '/v1/pods', namespace, name: bound.name }) as (KubeObject & { spec?: Fields }) | undefined;
  if (pod === undefined || pod.spec?.nodeName !== identity.name) throw refuse(`pod ${namespace}/${bound.name} is not on this node`);
  if (bound.uid !== pod.metadata.uid) throw refuse(`pod ${namespace}/${bound.name} has another uid`);
  if ((pod.spec.serviceAccountName ?? 'default') !== name) throw refuse(`pod ${namespace}/${bound.name} has another service account`);
}

async function ask(bus: MessageBus, { ref }: SubresourceRequest, spec: Fields): Promise<Message> {
  const content = { metadata: { creationTimestamp: null }, spec, status: { token: '', expirationTimestamp: null } };
  const resource = `${ref.namespace ?? ''}/${ResourceTypes.serviceAccountToken}/${ref.name}`;
  const message = createMessage({ source: Sources.metaServer, group: Groups.meta, operation: Operations.query, resource, content });
  try {
    return await bus.request({ group: Groups.meta }, message, { timeoutMs: PATIENCE_MS });
  } catch (error) {
    throw new ApiError('ServiceUnavailable', `no token: ${errorText(error)}`, {}, { cause: error });
  }
}

function answerOf({ ref, context }: SubresourceRequest, { route, content }: Message): Record<string, unknown> {
  if (route.operation === Operations.error) throw new ApiError('ServiceUnavailable', `no token: ${String(content)}`);
  const stored: unknown = Array.isArray(content) ? content[0] : undefined;
  const answer: unknown = typeof stored === 'string' ? JSON.parse(stored) : content;
  const failed = errorStatus(answer);
  if (failed) throw refusalOf({ ...failed }, '');
  if (!isFields(answer) || !isFields(answer.status) || !answer.status.token) throw new ApiError('InternalError', `the cloud answered for ${ref.namespace}/${ref.name} without a token`);
  if (stored !== undefined) context.warn?.('the token is one that the node keeps, because the cloud does not answer');
  return {
    kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata: { name: ref.name, namespace: ref.namespace, creationTimestamp: null },
    spec: answer.spec, status: { token: answer.status.token, expirationTimestamp: answer.status.expirationTimestamp },
  };
}
