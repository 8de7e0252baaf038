import type { KubeObject } from '../types/object.js';
import type { ObjectKey } from '../types/store.js';

export const keyText = (key: ObjectKey): string => `${key.resource}\n${key.namespace}\n${key.name}`;

/** Which objects are there by uid, and which objects name them as owners. */
export class OwnerIndex {
  readonly #present = new Map<string, ObjectKey>();
  readonly #dependents = new Map<string, Map<string, ObjectKey>>();

  put(key: ObjectKey, object: KubeObject, previous: KubeObject | undefined): void {
    if (previous !== undefined) this.#unlink(key, previous);
    this.#present.set(object.metadata.uid, key);
    for (const owner of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner.uid) ?? new Map<string, ObjectKey>();
      this.#dependents.set(owner.uid, dependents.set(keyText(key), key));
    }
  }

  remove(key: ObjectKey, object: KubeObject): void {
    this.#unlink(key, object);
    this.#present.delete(object.metadata.uid);
  }

  has(uid: string): boolean {
    return this.#present.has(uid);
  }

  keyOf(uid: string): ObjectKey | undefined {
    return this.#present.get(uid);
  }

  dependentsOf(uid: string): ObjectKey[] {
    return [...(this.#dependents.get(uid)?.values() ?? [])];
  }

  #unlink(key: ObjectKey, object: KubeObject): void {
    for (const owner of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(keyText(key));
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
  }
}
