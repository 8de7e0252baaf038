import { apiVersionOf, type ResourceRegistry } from '../resource/registry.js';
import type { ResourceType } from '../types/resource.js';

/** `GET /api`. */
export function coreVersions(address: string): object {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }] };
}

function groupOf(group: string, versions: readonly string[]): object {
  const list = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: list, preferredVersion: list[0] };
}

/** `GET /apis`. */
export function groupList(registry: ResourceRegistry): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: registry.groups().map(({ group, versions }) => groupOf(group, versions)) };
}

/** `GET /apis/G`; undefined for an unknown group. */
export function groupDocument(registry: ResourceRegistry, group: string): object | undefined {
  const found = registry.groups().find((candidate) => candidate.group === group);
  return found === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group, found.versions) };
}

/** `GET /api/V` and `/apis/G/V`; undefined for an unknown version. */
export function resourceList(registry: ResourceRegistry, group: string, version: string): object | undefined {
  const types = registry.inVersion(group, version);
  if (types.length === 0) return undefined;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf({ group, version }), resources: types.flatMap(entriesOf) };
}

function entriesOf(type: ResourceType): object[] {
  const own = {
    name: type.plural, singularName: type.singular, namespaced: type.namespaced, kind: type.kind, verbs: type.verbs,
    ...(type.shortNames === undefined ? {} : { shortNames: type.shortNames }),
    ...(type.categories === undefined ? {} : { categories: type.categories }),
  };
  const below = (type.subresources ?? []).map((sub) => ({
    name: `${type.plural}/${sub.name}`, singularName: '', namespaced: type.namespaced, kind: sub.kind?.kind ?? type.kind, verbs: sub.verbs,
    ...(sub.kind === undefined || sub.kind.group === type.group ? {} : { group: sub.kind.group, version: sub.kind.version }),
  }));
  return [own, ...below];
}

/** All groups with all resources in one document (`APIGroupDiscoveryList`): of the core group, or of all others. */
export function aggregated(registry: ResourceRegistry, core: boolean, version: 'v2' | 'v2beta1'): object {
  const groups = core ? [{ group: '', versions: ['v1'] }] : registry.groups();
  return {
    kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: { name: group, creationTimestamp: null },
      versions: versions.map((v) => ({ version: v, freshness: 'Current', resources: registry.inVersion(group, v).map(aggregatedEntry) })),
    })),
  };
}

function aggregatedEntry(type: ResourceType): object {
  return {
    resource: type.plural, responseKind: { group: type.group, version: type.version, kind: type.kind },
    scope: type.namespaced ? 'Namespaced' : 'Cluster', singularResource: type.singular, verbs: type.verbs,
    ...(type.shortNames === undefined ? {} : { shortNames: type.shortNames }),
    ...(type.categories === undefined ? {} : { categories: type.categories }),
    ...((type.subresources ?? []).length === 0 ? {} : {
      subresources: (type.subresources ?? []).map((sub) => ({
        subresource: sub.name, verbs: sub.verbs, responseKind: sub.kind ?? { group: type.group, version: type.version, kind: type.kind },
      })),
    }),
  };
}
