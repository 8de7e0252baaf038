import type { Container, Volume } from '@edge/protocol';
import type { StoredPod } from '../objects.js';

type Spec = StoredPod['spec'];

/** The ConfigMaps and Secrets that a pod names, as `configmap/<namespace>/<name>` and `secret/<namespace>/<name>`. */
export function referencesOf(pod: StoredPod): Set<string> {
  const found = new Set<string>();
  const add = (type: 'configmap' | 'secret', name: string | undefined): void => {
    if (name) found.add(`${type}/${pod.metadata.namespace ?? 'default'}/${name}`);
  };
  for (const volume of pod.spec.volumes ?? []) addVolume(volume, add);
  for (const container of containersOf(pod.spec)) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      add('configmap', configMapRef?.name);
      add('secret', secretRef?.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      add('configmap', valueFrom?.configMapKeyRef?.name);
      add('secret', valueFrom?.secretKeyRef?.name);
    }
  }
  for (const { name } of pod.spec.imagePullSecrets ?? []) add('secret', name);
  return found;
}

function containersOf(spec: Spec): Container[] {
  const ephemeral = (spec['ephemeralContainers'] as Container[] | undefined) ?? [];
  return [...(spec.initContainers ?? []), ...spec.containers, ...ephemeral];
}

function addVolume(volume: Volume, add: (type: 'configmap' | 'secret', name: string | undefined) => void): void {
  add('configmap', volume.configMap?.name);
  add('secret', volume.secret?.secretName);
  for (const source of (volume.projected?.sources ?? []) as { configMap?: { name?: string }; secret?: { name?: string } }[]) {
    add('configmap', source.configMap?.name);
    add('secret', source.secret?.name);
  }
}

/** Which nodes run pods that name an object. */
export class ReferenceIndex {
  /** Reference → uid of the pod → node. */
  readonly #users = new Map<string, Map<string, string>>();
  readonly #ofPod = new Map<string, Set<string>>();

  /** Notes a pod as it is now; a pod without a node uses nothing yet. */
  set(pod: StoredPod): void {
    const { uid } = pod.metadata;
    const node = pod.spec.nodeName;
    const wanted = node ? referencesOf(pod) : new Set<string>();
    for (const reference of this.#ofPod.get(uid) ?? []) if (!wanted.has(reference)) this.#users.get(reference)?.delete(uid);
    for (const reference of wanted) {
      let users = this.#users.get(reference);
      if (!users) this.#users.set(reference, (users = new Map()));
      users.set(uid, node!);
    }
    if (wanted.size > 0) this.#ofPod.set(uid, wanted);
    else this.#ofPod.delete(uid);
  }

  remove(uid: string): void {
    for (const reference of this.#ofPod.get(uid) ?? []) {
      const users = this.#users.get(reference);
      users?.delete(uid);
      if (users?.size === 0) this.#users.delete(reference);
    }
    this.#ofPod.delete(uid);
  }

  nodesUsing(reference: string): Set<string> {
    return new Set(this.#users.get(reference)?.values() ?? []);
  }
}
