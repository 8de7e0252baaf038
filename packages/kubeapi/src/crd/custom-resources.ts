import { storageName, type ResourceRegistry } from '../resource/registry.js';
import type { KubeObject } from '../types/object.js';
import type { GroupVersionResource, ResourceType } from '../types/resource.js';
import type { ObjectStore } from '../types/store.js';
import { readDefinition, typesOf } from './definition.js';

const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions';

export const isDefinition = (type: ResourceType): boolean => storageName(type) === DEFINITIONS;

/** What the instances of a definition are stored under. */
export function instancesOf(definition: KubeObject): string {
  const { group, names } = readDefinition(definition);
  return storageName({ group, plural: names.plural });
}

/** Keeps the registry in step with the CustomResourceDefinitions in the store. */
export class CustomResources {
  readonly #registry: ResourceRegistry;
  readonly #served = new Map<string, GroupVersionResource[]>();
  readonly #stop: () => void;

  constructor(deps: { registry: ResourceRegistry; store: ObjectStore }) {
    this.#registry = deps.registry;
    const { items, resourceVersion } = deps.store.list({ resource: DEFINITIONS });
    for (const definition of items) this.#serve(definition);
    this.#stop = deps.store.watch({ resource: DEFINITIONS, after: resourceVersion }, (event) => {
      if (event.type === 'deleted') this.#withdraw(event.object);
      else this.#serve(event.object);
    });
  }

  close(): void {
    this.#stop();
  }

  #serve(definition: KubeObject): void {
    const types = typesOf(definition);
    const refs = types.map((type) => ({ group: type.group, version: type.version, resource: type.plural }));
    const before = this.#served.get(definition.metadata.name) ?? [];
    for (const type of types) this.#registry.register(type);
    for (const old of before) {
      if (!refs.some((ref) => ref.version === old.version && ref.resource === old.resource)) this.#registry.unregister(old);
    }
    this.#served.set(definition.metadata.name, refs);
  }

  #withdraw(definition: KubeObject): void {
    for (const ref of this.#served.get(definition.metadata.name) ?? []) this.#registry.unregister(ref);
    this.#served.delete(definition.metadata.name);
  }
}
