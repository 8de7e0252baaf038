import { createHash } from 'node:crypto';
import { isFields, ResourceTypes, sameData, strategicMerge, type KubeObject } from '@edge/protocol';
import type { MetaObjects } from '../meta-objects.js';
import { isEditedHere } from '../values/edited-here.js';
import { sortedJson } from '../values/sorted-json.js';

const POD = /^\/core\/v1\/pods\/([^/]+)\/([^/]+)$/;

/** What the follower gets for one key: the object as it is stored now, undefined when there is none any more. */
export interface FeedItem {
  readonly key: string;
  readonly object: KubeObject | undefined;
  /** There when the node may have changed the object, which the cloud's version does not tell; another text for another state. */
  readonly local?: string;
}

/** Objects as the local API shows them: a pod with the last status that this node has reported, whether the cloud knows it or not. */
export class ShownObjects {
  readonly #objects: MetaObjects;

  constructor(deps: { objects: MetaObjects }) {
    this.#objects = deps.objects;
  }

  item(key: string): FeedItem {
    return this.#patched(key, this.#objects.shown(key));
  }

  /** @param counts which keys are asked for */
  all(counts: (key: string) => boolean): FeedItem[] {
    return this.#objects.allShown(counts).map(({ key, object }) => this.#patched(key, object));
  }

  #patched(key: string, object: KubeObject | undefined): FeedItem {
    if (object !== undefined && isEditedHere(key)) return { key, object, local: hashOf(sortedJson(object)) };
    const [, namespace, name] = POD.exec(key) ?? [];
    if (object === undefined || namespace === undefined || name === undefined) return { key, object };
    const text = this.#objects.value(`${namespace}/${ResourceTypes.podPatch}/${name}`);
    const merged = text === undefined ? undefined : withPatch(object, text);
    // What the cloud has taken over already makes no difference.
    if (text === undefined || merged === undefined || sameData(merged, object)) return { key, object };
    return { key, object: merged, local: hashOf(text) };
  }
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** The object with the status of a patch; undefined for a patch of another object, or for none. */
export function withPatch(object: KubeObject, text: string): KubeObject | undefined {
  let patch: unknown;
  try {
    patch = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isFields(patch) || !isFields(patch.status)) return undefined;
  // Patches outlive what they were made for: a pod of the same name may be another one.
  if (!isFields(patch.metadata) || patch.metadata.uid !== object.metadata.uid) return undefined;
  return strategicMerge(object, { status: patch.status });
}
