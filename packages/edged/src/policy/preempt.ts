import type { Pod } from '@edge/protocol';
import { qosClass } from '../plan/qos.js';
import { podRequests, type Amounts } from '../plan/pod-resources.js';
import { isCritical, isStatic, priorityOf } from './standing.js';

/** In this order pods give way: the one that asked for nothing first. */
const CLASSES = ['BestEffort', 'Burstable', 'Guaranteed'] as const;

interface Candidate {
  readonly pod: Pod;
  readonly frees: Amounts;
}

/**
 * Which pods have to end so that a critical pod finds room: as few as possible, of the least protected class that is
 * enough. Pure.
 * @param shortOf what is missing, thousandths by resource name
 * @returns undefined when ending all that may be ended is not enough
 */
export function planPreemption(critical: Pod, others: readonly Pod[], shortOf: Amounts): Pod[] | undefined {
  const candidates = others.filter((other) => givesWay(critical, other)).map((pod) => ({ pod, frees: freed(pod) }));
  if (!covers(shortOf, candidates)) return undefined;
  const byClass = CLASSES.map((name) => candidates.filter(({ pod }) => qosClass(pod) === name));
  const chosen: Candidate[] = [];
  // The best protected first: only as many of them as the others cannot make up for.
  for (let at = CLASSES.length - 1; at >= 0; at -= 1) {
    const rest = byClass.slice(0, at).flat();
    chosen.push(...fewest(byClass[at] ?? [], missing(shortOf, [...rest, ...chosen])));
  }
  return chosen.map(({ pod }) => pod);
}

function givesWay(critical: Pod, other: Pod): boolean {
  if (isStatic(other)) return false;
  return isCritical(critical) && !isCritical(other) ? true : priorityOf(critical) > priorityOf(other);
}

function freed(pod: Pod): Amounts {
  return new Map([...podRequests(pod), ['pods', 1000n]]);
}

function missing(shortOf: Amounts, gone: readonly Candidate[]): Amounts {
  const left = new Map<string, bigint>();
  for (const [name, amount] of shortOf) {
    const rest = gone.reduce((sum, { frees }) => sum - (frees.get(name) ?? 0n), amount);
    if (rest > 0n) left.set(name, rest);
  }
  return left;
}

function covers(shortOf: Amounts, gone: readonly Candidate[]): boolean {
  return missing(shortOf, gone).size === 0;
}

/** Takes the one that leaves least missing, again and again; of equal ones the one that asks for less. */
function fewest(from: readonly Candidate[], shortOf: Amounts): Candidate[] {
  const left = [...from];
  const taken: Candidate[] = [];
  for (let rest = shortOf; rest.size > 0 && left.length > 0; rest = missing(shortOf, taken)) {
    left.sort((a, b) => distance(rest, a) - distance(rest, b) || compareSize(a, b));
    taken.push(left.shift() as Candidate);
  }
  return taken;
}

function distance(shortOf: Amounts, { frees }: Candidate): number {
  let sum = 0;
  for (const [name, amount] of shortOf) {
    const left = Number(amount - (frees.get(name) ?? 0n)) / Number(amount);
    if (left > 0) sum += left ** 2;
  }
  return sum;
}

function compareSize(a: Candidate, b: Candidate): number {
  for (const name of ['memory', 'cpu']) {
    const difference = (a.frees.get(name) ?? 0n) - (b.frees.get(name) ?? 0n);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return 0;
}
