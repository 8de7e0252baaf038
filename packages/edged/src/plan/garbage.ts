import type { RuntimeContainer } from '@edge/core';
import { containerName } from './identity.js';
import type { ActualPod } from './actual.js';
import type { PodStep } from './steps.js';

/** What is kept of the dead. */
export interface GarbageRules {
  /** Dead containers of each name; infinite for no limit. */
  readonly keepDead: number;
  /** A container that has ended later than so long ago stays. */
  readonly minAgeMs: number;
}

/**
 * The rules of one container when the node as a whole is limited. Each keeps at least the run that ended last: status,
 * exit code and back-off follow from it.
 * @param onNode dead containers of the node; infinite for no limit
 * @param listed containers of all pods, by pod
 */
export function shareOfDead(rules: GarbageRules, onNode: number, listed: Iterable<readonly RuntimeContainer[]>): GarbageRules {
  if (!Number.isFinite(onNode)) return rules;
  let names = 0;
  for (const containers of listed) names += new Set(containers.filter(({ state }) => state === 'exited').map(containerName)).size;
  return { ...rules, keepDead: Math.min(rules.keepDead, Math.max(1, Math.floor(onNode / Math.max(1, names)))) };
}

/**
 * Removes what no longer tells anything: dead containers beyond the newest `keepDead` of each name with their logs, and
 * sandboxes that are neither the newest nor hold a container that is kept. Pure; look again at `wakeAt`.
 */
export function collectGarbage(actual: ActualPod, { keepDead, minAgeMs }: GarbageRules, now: number): { readonly steps: PodStep[]; readonly wakeAt?: number } {
  const dead = new Map<string, number>();
  const gone = new Set<string>();
  const newest = new Set<string>();
  const tooYoung: number[] = [];
  for (const container of actual.containers) {
    const name = containerName(container);
    const isNewest = !newest.has(name);
    newest.add(name);
    // Made, never started, and another one was made since.
    if (container.state === 'created' && !isNewest) gone.add(container.id);
    if (container.state !== 'exited') continue;
    const seen = dead.get(name) ?? 0;
    dead.set(name, seen + 1);
    if (seen < keepDead) continue;
    if (minAgeMs > 0 && now - container.finishedAt < minAgeMs) tooYoung.push(container.finishedAt + minAgeMs);
    else gone.add(container.id);
  }
  const inUse = new Set(actual.containers.filter(({ id }) => !gone.has(id)).map(({ sandboxId }) => sandboxId));
  const old = actual.sandboxes.slice(1).filter(({ id, state }) => state === 'notready' && !inUse.has(id));
  const logsInUse = new Set(actual.containers.filter(({ id }) => !gone.has(id)).map(({ logPath }) => logPath));
  const steps: PodStep[] = [
    ...actual.containers
      .filter(({ id }) => gone.has(id))
      .map(({ id, logPath }) => ({ do: 'removeContainer' as const, containerId: id, ...(logPath === '' || logsInUse.has(logPath) ? {} : { logPath }) })),
    ...old.map(({ id }) => ({ do: 'removeSandbox' as const, sandboxId: id })),
  ];
  return tooYoung.length === 0 ? { steps } : { steps, wakeAt: Math.min(...tooYoung) };
}
