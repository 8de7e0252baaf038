import type { ResourceRef, ResourceType } from '@edge/kubeapi';

/**
 * What a list of a type holds that the node has never heard of: nothing, of the kind that the same plural has in another group or
 * version, or else of one that is guessed from it, as the Go agent does it (`policies` → `PolicyList`, `classes` → `ClassList`). Version
 * "0" stands for any, so that a watch from it begins with all that is there.
 */
export function emptyListOf({ group, version, resource }: Pick<ResourceRef, 'group' | 'version' | 'resource'>, types: readonly Pick<ResourceType, 'plural' | 'kind'>[]): Readonly<Record<string, unknown>> {
  const kind = types.find(({ plural }) => plural === resource)?.kind ?? guessed(resource);
  return { kind: `${kind}List`, apiVersion: group === '' ? version : `${group}/${version}`, metadata: { resourceVersion: '0' }, items: [] };
}

function guessed(resource: string): string {
  const singular = resource.endsWith('ies') ? `${resource.slice(0, -3)}y` : resource.replace(resource.endsWith('ses') ? /es$/ : /s$/, '');
  return `${singular.slice(0, 1).toUpperCase()}${singular.slice(1)}`;
}
