import type { KubeNode, Pod } from '@edge/protocol';
import { fullName } from '../plan/full-name.js';
import { SourceAnnotations } from '../policy/standing.js';

/** A pod from a file of this node. */
export interface LocalPod {
  readonly pod: Pod;
  /** Its file is gone or says something else now; it still ends. */
  readonly removed: boolean;
}

/** Pods from files, and what the API has as their images. */
export interface MirrorScene {
  readonly pods: readonly LocalPod[];
  readonly mirrors: readonly Pod[];
  /** All files could be read, so a mirror without a pod is one too many. */
  readonly whole: boolean;
}

export interface MirrorPlan {
  readonly create: readonly Pod[];
  readonly remove: readonly Pod[];
}

/** What has to change in the API so that each static pod has one mirror and no mirror is left over. Pure. */
export function planMirrors({ pods, mirrors, whole }: MirrorScene): MirrorPlan {
  const remove = mirrors.filter((mirror) => {
    // Somebody deletes it: it goes at once, and as long as there is the file there is a next one.
    if (mirror.metadata.deletionTimestamp !== undefined) return true;
    if (pods.some(({ pod }) => isMirrorOf(mirror, pod))) return false;
    return whole || pods.some(({ pod }) => fullName(pod) === fullName(mirror));
  });
  const names = new Set(mirrors.map(fullName));
  const create = pods.filter(({ pod, removed }) => !removed && !names.has(fullName(pod))).map(({ pod }) => pod);
  return { create, remove };
}

export function isMirrorOf(mirror: Pod, pod: Pod): boolean {
  return fullName(mirror) === fullName(pod) && mirror.metadata.annotations?.[SourceAnnotations.mirror] === pod.metadata.annotations?.[SourceAnnotations.hash];
}

/** The image of a static pod for the API. It belongs to the node, so it goes when the node does. */
export function mirrorOf(pod: Pod, node: KubeNode): Pod {
  const { uid: _local, ...metadata } = pod.metadata;
  const { name = '', uid = '' } = node.metadata;
  const annotations = { ...metadata.annotations, [SourceAnnotations.mirror]: metadata.annotations?.[SourceAnnotations.hash] ?? '' };
  const owner = { apiVersion: 'v1', kind: 'Node', name, uid, controller: true };
  return { ...pod, metadata: { ...metadata, creationTimestamp: null, annotations, ownerReferences: [owner] } };
}
