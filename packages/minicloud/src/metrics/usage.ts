import type { ContainerUse, Scrape, Use } from './scrape-text.js';

/** What was used over a span of time, as `metrics.k8s.io` shows it. */
export interface Usage {
  /** End of the span, milliseconds since the epoch by the node's clock. */
  readonly at: number;
  readonly windowMs: number;
  /** Cores. */
  readonly cpu: number;
  readonly memoryBytes: number;
}

/** A shorter time says little. Milliseconds. */
export const SHORTEST_MS = 1000;

/** What a node used between two scrapes; undefined when they are too close to each other, or it has started anew. */
export function nodeUsage(before: Scrape, after: Scrape): Usage | undefined {
  return after.node && before.node && usage(before.node, after.node);
}

/**
 * What each container of a pod used between two scrapes. One that has started since then is counted from its start.
 * Undefined when the pod, or one of its containers, cannot be told yet.
 */
export function podUsage(before: Scrape, after: Scrape, pod: string): ReadonlyMap<string, Usage> | undefined {
  const now = after.pods.get(pod);
  if (!now || now.size === 0) return undefined;
  const all = new Map<string, Usage>();
  for (const [name, container] of now) {
    const one = usage(startOf(before.pods.get(pod)?.get(name), container), container);
    if (!one) return undefined;
    all.set(name, one);
  }
  return all;
}

function startOf(before: ContainerUse | undefined, now: ContainerUse): Use {
  const isSame = before !== undefined && before.startedAt === now.startedAt && before.cpuSeconds <= now.cpuSeconds;
  return isSame ? before : { cpuSeconds: 0, memoryBytes: 0, at: now.startedAt };
}

function usage(before: Use, after: Use): Usage | undefined {
  const windowMs = after.at - before.at;
  const seconds = after.cpuSeconds - before.cpuSeconds;
  if (windowMs < SHORTEST_MS || seconds < 0) return undefined;
  return { at: after.at, windowMs, cpu: (seconds * 1000) / windowMs, memoryBytes: after.memoryBytes };
}
