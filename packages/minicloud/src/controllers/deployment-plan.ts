import { createHash } from 'node:crypto';
import { sameData } from '@edge/protocol';
import type { PodTemplate, StoredDeployment, StoredReplicaSet } from '../objects.js';

export const HASH_LABEL = 'pod-template-hash';
export const REVISION = 'deployment.kubernetes.io/revision';

/** What a Deployment needs done, in this order. */
export interface DeploymentPlan {
  /** A set for the present template is to be made with so many replicas. */
  readonly create: { readonly hash: string; readonly revision: number; readonly replicas: number } | undefined;
  /** Sets that get another size. */
  readonly scale: readonly { readonly set: StoredReplicaSet; readonly replicas: number }[];
  /** The set of the present template gets the newest revision number (after going back to an older template). */
  readonly renumber: { readonly set: StoredReplicaSet; readonly revision: number } | undefined;
  /** Empty sets beyond the history that is kept. */
  readonly remove: readonly StoredReplicaSet[];
  readonly revision: number;
  /** The set of the present template, if it is there. */
  readonly current: StoredReplicaSet | undefined;
  readonly surge: number;
  readonly unavailable: number;
}

/**
 * Compares a Deployment with its ReplicaSets.
 * @param sets all sets that it controls
 */
export function planDeployment(deployment: StoredDeployment, sets: readonly StoredReplicaSet[]): DeploymentPlan {
  const { spec } = deployment;
  const wanted = spec.replicas ?? 1;
  const current = sets.find((set) => sameData(withoutHash(set.spec.template), withoutHash(spec.template)));
  const old = sets.filter((set) => set !== current);
  const newest = Math.max(0, ...old.map(revisionOf));
  const revision = current && revisionOf(current) > newest ? revisionOf(current) : newest + 1;
  const { surge, unavailable } = resolveStrategy(deployment);
  const base = {
    revision, current, surge, unavailable,
    renumber: current && revisionOf(current) !== revision ? { set: current, revision } : undefined,
    remove: removable(old, spec.revisionHistoryLimit ?? 10),
  };
  if (spec.paused) {
    // While it is paused nothing moves from set to set, but it still has the size asked for.
    const alone = sets.filter((set) => sizeOf(set) > 0);
    const only = alone.length === 1 ? alone[0] : alone.length === 0 ? current : undefined;
    return { ...base, create: undefined, scale: only && sizeOf(only) !== wanted ? [{ set: only, replicas: wanted }] : [] };
  }
  const grown = spec.strategy?.type === 'Recreate' ? recreated(wanted, current, old) : rolled(wanted, surge, current, old);
  const shrunk = spec.strategy?.type === 'Recreate' ? old.map((set) => ({ set, replicas: 0 })) : shrink(wanted, unavailable, grown, current, old);
  const scale = [...(current ? [{ set: current, replicas: grown }] : []), ...shrunk].filter(({ set, replicas }) => sizeOf(set) !== replicas);
  return { ...base, create: current ? undefined : { hash: templateHash(spec.template), revision, replicas: grown }, scale };
}

/** A short name for a template, in letters that a label may have. */
export function templateHash(template: PodTemplate): string {
  const digest = createHash('sha256').update(JSON.stringify(sorted(withoutHash(template)))).digest();
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  return Array.from(digest.subarray(0, 10), (byte) => letters[byte % letters.length]).join('');
}

/** The numbers behind maxSurge and maxUnavailable. */
function resolveStrategy({ spec }: StoredDeployment): { surge: number; unavailable: number } {
  if (spec.strategy?.type === 'Recreate') return { surge: 0, unavailable: spec.replicas ?? 1 };
  const wanted = spec.replicas ?? 1;
  const share = (value: number | string | undefined, round: (n: number) => number): number =>
    typeof value === 'number' ? value : round((wanted * Number.parseInt(value ?? '25%', 10)) / 100) || 0;
  const surge = share(spec.strategy?.rollingUpdate?.maxSurge, Math.ceil);
  const unavailable = Math.min(wanted, share(spec.strategy?.rollingUpdate?.maxUnavailable, Math.floor));
  // With neither there would be no way to move.
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

function recreated(wanted: number, current: StoredReplicaSet | undefined, old: readonly StoredReplicaSet[]): number {
  const stillThere = old.some((set) => sizeOf(set) > 0 || (set.status?.replicas ?? 0) > 0);
  return stillThere ? (current ? sizeOf(current) : 0) : wanted;
}

function rolled(wanted: number, surge: number, current: StoredReplicaSet | undefined, old: readonly StoredReplicaSet[]): number {
  const size = current ? sizeOf(current) : 0;
  if (size >= wanted) return wanted;
  const total = size + sum(old, sizeOf);
  return Math.min(wanted, size + Math.max(0, wanted + surge - total));
}

function shrink(wanted: number, unavailable: number, grown: number, current: StoredReplicaSet | undefined, old: readonly StoredReplicaSet[]): { set: StoredReplicaSet; replicas: number }[] {
  const available = (set: StoredReplicaSet): number => Math.min(sizeOf(set), set.status?.availableReplicas ?? 0);
  const newAvailable = current ? available(current) : 0;
  const least = wanted - unavailable;
  // What the new set still has to bring up may not be missing on the old side as well.
  let budget = Math.max(0, grown + sum(old, sizeOf) - least - (grown - newAvailable));
  const oldestFirst = [...old].sort((a, b) => revisionOf(a) - revisionOf(b));
  const sizes = new Map(oldestFirst.map((set) => [set, sizeOf(set)]));
  for (const set of oldestFirst) {
    const broken = Math.min(budget, sizeOf(set) - available(set));
    sizes.set(set, sizeOf(set) - broken);
    budget -= broken;
  }
  budget = Math.min(budget, Math.max(0, newAvailable + sum(old, available) - least));
  for (const set of oldestFirst) {
    const size = sizes.get(set) ?? 0;
    const less = Math.min(budget, size);
    sizes.set(set, size - less);
    budget -= less;
  }
  return oldestFirst.map((set) => ({ set, replicas: sizes.get(set) ?? 0 }));
}

function removable(old: readonly StoredReplicaSet[], keep: number): StoredReplicaSet[] {
  const empty = old.filter((set) => sizeOf(set) === 0 && (set.status?.replicas ?? 0) === 0 && set.metadata.deletionTimestamp === undefined);
  return [...empty].sort((a, b) => revisionOf(b) - revisionOf(a)).slice(keep);
}

export function sizeOf(set: StoredReplicaSet): number {
  return set.spec.replicas ?? 1;
}

function revisionOf(set: StoredReplicaSet): number {
  return Number(set.metadata.annotations?.[REVISION] ?? 0) || 0;
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { [HASH_LABEL]: _hash, ...labels } = template.metadata?.labels ?? {};
  const { creationTimestamp: _time, ...metadata } = template.metadata ?? {};
  return { ...template, metadata: { ...metadata, labels } };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
