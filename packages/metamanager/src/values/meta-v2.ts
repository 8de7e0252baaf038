import type { KubeObject, MetaV2Row } from '@edge/protocol';
import { completeObject } from './object-types.js';
import { sortedJson } from './sorted-json.js';

/** Types that upstream never shows in its local API: bookkeeping and secrets of others. */
const NEVER_SHOWN = new Set(['serviceaccounttoken', 'podpatch', 'nodepatch', 'podlist']);
/** Types that change all the time; shown when somebody asked for them. */
const SHOWN_ON_REQUEST = new Set(['lease', 'event']);

/** Kinds whose plural the rule would get wrong. */
const PLURALS: Readonly<Record<string, string>> = { Endpoints: 'endpoints' };

/** Where an object lies in table `meta_v2`. */
export interface MetaV2Place {
  readonly key: string;
  readonly groupVersionResource: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * The object's place, undefined when it is not kept there or does not say what it is.
 * @param isAskedFor the local API wants it, however often it changes
 */
export function metaV2Place(type: string, given: KubeObject, isAskedFor = false): MetaV2Place | undefined {
  if (NEVER_SHOWN.has(type) || type.includes('status') || (!isAskedFor && SHOWN_ON_REQUEST.has(type))) return undefined;
  const { kind, apiVersion, metadata } = completeObject(type, given);
  const { name, namespace = '' } = metadata;
  // Objects come from outside: a member of the wrong type makes it no object of the API, not an error.
  if (![kind, apiVersion, name].every((part) => typeof part === 'string' && part !== '') || typeof namespace !== 'string') return undefined;
  return placeOf(kind as string, apiVersion as string, namespace, name as string);
}

function placeOf(kind: string, apiVersion: string, namespace: string, name: string): MetaV2Place {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const resource = pluralOf(kind);
  return {
    key: `/${group || 'core'}/${version}/${resource}/${namespace || 'null'}/${name}`,
    groupVersionResource: `${group}/${version}, Resource=${resource}`,
    namespace,
    name,
  };
}

/** The object's row: the whole object with kind, members sorted, a newline at the end. */
export function metaV2Row(type: string, object: KubeObject, isAskedFor = false): MetaV2Row | undefined {
  const place = metaV2Place(type, object, isAskedFor);
  if (!place) return undefined;
  return {
    key: place.key,
    group_version_resource: place.groupVersionResource,
    namespace: place.namespace,
    name: place.name,
    resource_version: versionNumber(object.metadata.resourceVersion),
    value: `${sortedJson(completeObject(type, object))}\n`,
  };
}

/** The number that column `resource_version` holds; 0 when the version is none. */
export function versionNumber(version: string | undefined): number {
  const number = /^\d{1,15}$/.test(version ?? '') ? Number(version) : 0;
  return number;
}

/** Resource name by upstream's guess, which asks no discovery. */
function pluralOf(kind: string): string {
  const fixed = PLURALS[kind];
  if (fixed) return fixed;
  const lower = kind.toLowerCase();
  if (lower.endsWith('s')) return `${lower}es`;
  if (lower.endsWith('y')) return `${lower.slice(0, -1)}ies`;
  return `${lower}s`;
}
