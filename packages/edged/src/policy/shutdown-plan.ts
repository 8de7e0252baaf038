import { EdgeError } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { CRITICAL_PRIORITY, isCritical, priorityOf } from './standing.js';

/** How long pods from this priority on get to end when the machine shuts down. */
export interface ShutdownPeriod {
  readonly priority: number;
  readonly seconds: number;
}

export interface ShutdownConfig {
  readonly totalMs: number;
  /** The part of it that is kept for critical pods, which end last. */
  readonly criticalMs: number;
  /** As written in the configuration; when there is something in it the other two do not count. */
  readonly byPriority: readonly unknown[];
}

const PATH = 'modules.edged.tailoredKubeletConfig';

/**
 * The periods, lowest priority first; empty when pods are to be left alone.
 * @throws EdgeError `config.invalid`
 */
export function shutdownPeriods({ totalMs, criticalMs, byPriority }: ShutdownConfig): ShutdownPeriod[] {
  if (byPriority.length > 0) return byPriority.map(readPeriod).sort((a, b) => a.priority - b.priority);
  if (criticalMs > totalMs) {
    throw new EdgeError('config.invalid', `${PATH}.shutdownGracePeriodCriticalPods is longer than ${PATH}.shutdownGracePeriod, of which it is a part`);
  }
  if (totalMs === 0) return [];
  return [
    { priority: 0, seconds: Math.floor((totalMs - criticalMs) / 1000) },
    { priority: CRITICAL_PRIORITY, seconds: Math.floor(criticalMs / 1000) },
  ];
}

function readPeriod(entry: unknown, index: number): ShutdownPeriod {
  const { priority = 0, shutdownGracePeriodSeconds: seconds = 0 } = (entry ?? {}) as { priority?: unknown; shutdownGracePeriodSeconds?: unknown };
  if (Number.isSafeInteger(priority) && Number.isSafeInteger(seconds)) return { priority: priority as number, seconds: seconds as number };
  throw new EdgeError('config.invalid', `${PATH}.shutdownGracePeriodByPodPriority[${index}] needs priority and shutdownGracePeriodSeconds as whole numbers`);
}

/** Pods that end together. */
export interface ShutdownGroup extends ShutdownPeriod {
  readonly pods: readonly Pod[];
}

/** In which order pods end: each with the highest period that its priority reaches, or the lowest. Empty groups are left out. Pure. */
export function shutdownGroups(periods: readonly ShutdownPeriod[], pods: readonly Pod[]): ShutdownGroup[] {
  const groups = periods.map((period) => ({ ...period, pods: [] as Pod[] }));
  for (const pod of pods) {
    const priority = isCritical(pod) ? Math.max(priorityOf(pod), CRITICAL_PRIORITY) : priorityOf(pod);
    (groups.findLast((group) => group.priority <= priority) ?? groups[0])?.pods.push(pod);
  }
  return groups.filter((group) => group.pods.length > 0);
}
