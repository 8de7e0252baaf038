import type { Pod } from '@edge/protocol';

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

function readPod(row: string): Pod | undefined {
  try {
    const value: unknown = JSON.parse(row);
    return isPod(value) ? value : undefined;
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
