import type { Container, Pod } from '@edge/protocol';
import { parseQuantity } from './quantity.js';

const COUNTED = ['cpu', 'memory'] as const;

/** The pod's quality-of-service class: what the containers ask for against what they may take at most. */
export function qosClass(pod: Pod): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  if (containers.every(asksNothing)) return 'BestEffort';
  return containers.every(isExact) ? 'Guaranteed' : 'Burstable';
}

function asksNothing({ resources = {} }: Container): boolean {
  return COUNTED.every((name) => isZero(resources.requests?.[name]) && isZero(resources.limits?.[name]));
}

function isExact({ resources = {} }: Container): boolean {
  return COUNTED.every((name) => {
    const limit = resources.limits?.[name];
    if (isZero(limit) || limit === undefined) return false;
    // The API server copies a limit without a request into the request.
    const request = resources.requests?.[name] ?? limit;
    return parseQuantity(request) === parseQuantity(limit);
  });
}

function isZero(quantity: string | undefined): boolean {
  return quantity === undefined || parseQuantity(quantity) === 0n;
}
