import type { Container, Pod } from '@edge/protocol';
import { isSidecar } from './containers.js';
import { parseQuantity } from './quantity.js';

/** Amounts by resource name, in thousandths as `parseQuantity` gives them: milli-cores for `cpu`, thousandths of bytes for `memory`. */
export type Amounts = ReadonlyMap<string, bigint>;

/**
 * What a container asks for. A limit without a request counts as request, as the API server writes it.
 * @throws EdgeError `edged.quantity`; so do all of this file
 */
export function containerRequests({ resources = {} }: Container): Amounts {
  return amounts({ ...resources.limits, ...resources.requests });
}

/** What a container may take at most. */
export function containerLimits({ resources = {} }: Container): Amounts {
  return amounts(resources.limits);
}

/**
 * What the pod asks for at its most demanding moment: all regular containers with the sidecars, or one init container
 * with the sidecars started before it, whichever is more; and the overhead of its runtime.
 */
export function podRequests(pod: Pod): Amounts {
  return sum(atMost(pod, containerRequests), amounts(pod.spec.overhead));
}

/** The same of limits. The overhead counts only where there is a limit at all. */
export function podLimits(pod: Pod): Amounts {
  const limits = atMost(pod, containerLimits);
  const overhead = amounts(pod.spec.overhead);
  return new Map([...limits].map(([name, amount]) => [name, amount === 0n ? 0n : amount + (overhead.get(name) ?? 0n)]));
}

/** Requests and limits of the containers alone, without overhead. */
export function sandboxTotals(pod: Pod): { readonly requests: Amounts; readonly limits: Amounts } {
  return { requests: atMost(pod, containerRequests), limits: atMost(pod, containerLimits) };
}

export function amounts(quantities: Readonly<Record<string, string>> = {}): Amounts {
  return new Map(Object.entries(quantities).map(([name, text]) => [name, parseQuantity(text)]));
}

/** An amount in whole units, rounded up: bytes, pieces. */
export function whole(amount: bigint | undefined): bigint {
  return ((amount ?? 0n) + 999n) / 1000n;
}

function atMost(pod: Pod, of: (container: Container) => Amounts): Amounts {
  let sidecarsSoFar: Amounts = new Map();
  let inits: Amounts = new Map();
  for (const container of pod.spec.initContainers ?? []) {
    const together = sum(sidecarsSoFar, of(container));
    if (isSidecar(container)) sidecarsSoFar = together;
    inits = greater(inits, together);
  }
  return greater(pod.spec.containers.map(of).reduce(sum, sidecarsSoFar), inits);
}

/** Both together. */
export function sum(one: Amounts, other: Amounts): Amounts {
  return merge(one, other, (a, b) => a + b);
}

function greater(one: Amounts, other: Amounts): Amounts {
  return merge(one, other, (a, b) => (a > b ? a : b));
}

function merge(one: Amounts, other: Amounts, by: (a: bigint, b: bigint) => bigint): Amounts {
  const merged = new Map(one);
  for (const [name, amount] of other) merged.set(name, by(merged.get(name) ?? 0n, amount));
  return merged;
}
