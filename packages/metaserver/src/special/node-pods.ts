import type { NodeIdentity } from '@edge/core';
import { badRequest, type ApiBackend, type KubeObject, type RequestContext, type ResourceRef } from '@edge/kubeapi';
import { isFields } from '@edge/protocol';
import type { ObjectCopy } from '../copy/object-copy.js';

const PODS = { group: '', version: 'v1', resource: 'pods' } as const;
/** Where the copy holds them. */
const STORED = '/v1/pods';

/** Pods as the node has them; the cloud is asked only for those that it does not have. */
export class NodePods {
  readonly #identity: NodeIdentity;
  readonly #copy: ObjectCopy;
  readonly #backend: ApiBackend;

  constructor(deps: { identity: NodeIdentity; copy: ObjectCopy; backend: ApiBackend }) {
    this.#identity = deps.identity;
    this.#copy = deps.copy;
    this.#backend = deps.backend;
  }

  /** @throws ApiError NotFound, or the cloud's refusal */
  async find({ namespace = '', name = '' }: Pick<ResourceRef, 'namespace' | 'name'>, context: RequestContext): Promise<KubeObject> {
    return this.#copy.store.get({ resource: STORED, namespace, name }) ?? this.#backend.get({ ...PODS, namespace, name }, {}, context);
  }

  /** As `find`, for what is done to containers. @throws ApiError BadRequest for a pod of another node */
  async ofThisNode(ref: ResourceRef, context: RequestContext): Promise<KubeObject> {
    const pod = await this.find(ref, context);
    const node = nodeOf(pod);
    if (node === this.#identity.name) return pod;
    const where = node === '' ? 'is not assigned to a node yet' : `runs on node "${node}"`;
    throw badRequest(`pod "${pod.metadata.name}" ${where}; the API of node "${this.#identity.name}" reaches the containers of its own pods only`);
  }

  /** Those that the node knows to be assigned to a node. */
  assignedTo(node: string): KubeObject[] {
    return this.#copy.store.list({ resource: STORED }).items.filter((pod) => nodeOf(pod) === node);
  }
}

function nodeOf(pod: KubeObject): string {
  const { spec } = pod as { spec?: unknown };
  return isFields(spec) && typeof spec.nodeName === 'string' ? spec.nodeName : '';
}
