import type { Pod } from '@edge/protocol';
import { isMirror, SourceAnnotations } from '../policy/standing.js';

/** The pods in rows of the store. */
export interface PodList {
  readonly pods: readonly Pod[];
  /** Rows that could not be read; while there are any, nobody may conclude that a pod is not assigned. */
  readonly unreadable: number;
}

/** Reads rows; keeps the pods of the node. */
export function readPodList(rows: readonly string[], nodeName: string): PodList {
  const pods: Pod[] = [];
  let unreadable = 0;
  for (const row of rows) {
    const pod = readPod(row);
    if (!pod) unreadable += 1;
    else if (pod.spec.nodeName === nodeName) pods.push(pod);
  }
  return { pods, unreadable };
}

/** Status patches in rows of the store, by the uid that they are for. */
export function readLastWords(rows: readonly string[]): ReadonlyMap<string, object> {
  const found = new Map<string, object>();
  for (const row of rows) {
    const value = parse(row);
    // On the wire the patch is a text.
    const patch = (typeof value === 'string' ? parse(value) : value) as { metadata?: { uid?: unknown } } | null | undefined;
    if (typeof patch?.metadata?.uid === 'string') found.set(patch.metadata.uid, patch);
  }
  return found;
}

/** Only this node says which pods come from its files; an API pod cannot make itself one by an annotation. */
export function fromApi(pod: Pod): Pod {
  if (isMirror(pod) || pod.metadata.annotations?.[SourceAnnotations.source] === undefined) return pod;
  const { [SourceAnnotations.source]: _claimed, ...annotations } = pod.metadata.annotations;
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

function readPod(row: string): Pod | undefined {
  const value = parse(row);
  return isPod(value) ? value : undefined;
}

function parse(row: string): unknown {
  try {
    return JSON.parse(row);
  } catch {
    return undefined;
  }
}

/** True for anything that has the members of a pod without which nothing can be done. */
export function isPod(value: unknown): value is Pod {
  const { metadata, spec } = (value ?? {}) as { metadata?: { uid?: unknown; name?: unknown; namespace?: unknown }; spec?: unknown };
  const named = [metadata?.uid, metadata?.name, metadata?.namespace].every((part) => typeof part === 'string' && part !== '');
  const { containers, initContainers = [], volumes = [] } = (spec ?? {}) as Record<string, unknown>;
  return named && isNamedList(containers) && isNamedList(initContainers) && isNamedList(volumes);
}

function isNamedList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item: unknown) => typeof (item as { name?: unknown } | null)?.name === 'string');
}
