import { LEASE_NAMESPACE, ResourceTypes } from '@edge/protocol';
import type { Request } from './context.js';

const OWN_NODE: readonly string[] = [ResourceTypes.node, ResourceTypes.nodePatch, ResourceTypes.nodeStatus];
const PODS: readonly string[] = [ResourceTypes.pod, ResourceTypes.podPatch, ResourceTypes.podStatus];

/**
 * Why a node may not send a message, undefined when it may: Node and lease must be its own, pods must be assigned to it.
 * @param nodeOfPod the node of the pod that the message names, undefined when there is no such pod
 */
export function refusalOf({ node, message, path }: Request, nodeOfPod: (namespace: string, name: string) => string | undefined): string | undefined {
  if (OWN_NODE.includes(path.type) && path.name !== node) return `node ${node} may not touch node ${path.name}`;
  if (path.type === ResourceTypes.lease && (path.name !== node || path.namespace !== LEASE_NAMESPACE)) {
    return `node ${node} may not touch lease ${path.namespace}/${path.name}`;
  }
  if (!PODS.includes(path.type)) return undefined;
  const wanted = message.route.operation === 'insert' ? claimedNode(message.content) : nodeOfPod(path.namespace, path.name);
  return wanted === undefined || wanted === node ? undefined : `pod ${path.namespace}/${path.name} is not on node ${node}`;
}

/** A node may show a pod only as its own. */
function claimedNode(content: unknown): string {
  const name = (content as { spec?: { nodeName?: unknown } } | null)?.spec?.nodeName;
  return typeof name === 'string' ? name : '';
}
