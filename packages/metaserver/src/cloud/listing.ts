import type { KubeObject, ObjectMeta } from '@edge/protocol';
import { isFields } from '@edge/protocol';

/** A list of the cloud, as far as it counts here. */
export interface Listing {
  readonly items: readonly KubeObject[];
  /** Version of the list in the cloud; undefined when it tells none. */
  readonly version: number | undefined;
  readonly next: string | undefined;
}

/** Reads a list; items get the kind and apiVersion that they may lack. Undefined for what is no list. */
export function readListing(text: string | undefined, type: { apiVersion: string; kind: string }): Listing | undefined {
  const list = parse(text);
  if (!isFields(list) || !(Array.isArray(list.items) || list.items === null)) return undefined;
  const metadata = isFields(list.metadata) ? list.metadata : {};
  const items = ((list.items ?? []) as unknown[]).flatMap((item): KubeObject[] => {
    if (!isFields(item) || !isFields(item.metadata)) return [];
    return [{ ...item, apiVersion: type.apiVersion, kind: type.kind, metadata: item.metadata as ObjectMeta }];
  });
  return { items, version: versionOf(metadata.resourceVersion), next: typeof metadata.continue === 'string' && metadata.continue !== '' ? metadata.continue : undefined };
}

/** Reads one object; undefined for what is none. */
export function readObject(text: string | undefined): KubeObject | undefined {
  const object = parse(text);
  return isFields(object) && isFields(object.metadata) && typeof object.kind === 'string' ? (object as unknown as KubeObject) : undefined;
}

export function versionOf(text: unknown): number | undefined {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}
