import type { ResourceRef } from '@edge/kubeapi';

/**
 * What a list of a type holds that the node has never heard of: nothing, of a kind that is guessed from the plural, as
 * the Go agent does it (`jobs` → `JobList`). Version "0" stands for any, so that a watch from it begins with all that is there.
 */
export function emptyListOf({ group, version, resource }: Pick<ResourceRef, 'group' | 'version' | 'resource'>): Readonly<Record<string, unknown>> {
  const singular = resource.endsWith('ies') ? `${resource.slice(0, -3)}y` : resource.replace(/s$/, '');
  const kind = `${singular.slice(0, 1).toUpperCase()}${singular.slice(1)}List`;
  return { kind, apiVersion: group === '' ? version : `${group}/${version}`, metadata: { resourceVersion: '0' }, items: [] };
}
