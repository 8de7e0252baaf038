import type { GroupVersionResource, ResourceType } from '../types/resource.js';
import { compareVersions } from './versions.js';

/** One API group with its versions, most preferred first. */
export interface GroupInfo {
  group: string;
  versions: readonly string[];
}

const idOf = (gvr: GroupVersionResource): string => `${gvr.group}/${gvr.version}/${gvr.resource}`;

/** What objects of a type are stored under: `group/plural`, `plural` for the core group, unless the type says otherwise. */
export function storageName(type: { group: string; plural: string; storedAs?: string }): string {
  if (type.storedAs !== undefined) return type.storedAs;
  return type.group === '' ? type.plural : `${type.group}/${type.plural}`;
}

/** What stands in an object's apiVersion. */
export function apiVersionOf(type: { group: string; version: string }): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** Takes `apps/v1` or `v1` apart. */
export function parseApiVersion(text: string): { group: string; version: string } {
  const slash = text.indexOf('/');
  return slash < 0 ? { group: '', version: text } : { group: text.slice(0, slash), version: text.slice(slash + 1) };
}

/** Which types are served. Changes at run time when CustomResourceDefinitions come and go. */
export class ResourceRegistry {
  readonly #types = new Map<string, ResourceType>();
  #revision = 0;

  constructor(types: readonly ResourceType[] = []) {
    for (const type of types) this.register(type);
  }

  /** Grows with every change; what is derived from the types may be kept as long as this stays. */
  get revision(): number {
    return this.#revision;
  }

  /** Adds a type, or replaces the one with the same group, version and plural. */
  register(type: ResourceType): void {
    this.#types.set(idOf({ ...type, resource: type.plural }), type);
    this.#revision += 1;
  }

  unregister(gvr: GroupVersionResource): void {
    if (this.#types.delete(idOf(gvr))) this.#revision += 1;
  }

  find(gvr: GroupVersionResource): ResourceType | undefined {
    return this.#types.get(idOf(gvr));
  }

  findKind(apiVersion: string, kind: string): ResourceType | undefined {
    const { group, version } = parseApiVersion(apiVersion);
    for (const type of this.#types.values()) {
      if (type.group === group && type.version === version && type.kind === kind) return type;
    }
    return undefined;
  }

  all(): ResourceType[] {
    return [...this.#types.values()];
  }

  /** Types of one group and version, by plural name. */
  inVersion(group: string, version: string): ResourceType[] {
    return this.all().filter((t) => t.group === group && t.version === version).sort((a, b) => (a.plural < b.plural ? -1 : 1));
  }

  /** All groups but the core one, in order of registration. */
  groups(): GroupInfo[] {
    const versions = new Map<string, Set<string>>();
    for (const type of this.#types.values()) {
      if (type.group === '') continue;
      versions.set(type.group, (versions.get(type.group) ?? new Set()).add(type.version));
    }
    return [...versions].map(([group, set]) => ({ group, versions: [...set].sort(compareVersions) }));
  }
}
