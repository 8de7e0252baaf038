import type { Container, Pod, Probe } from '@edge/protocol';
import { sidecars } from '../plan/containers.js';
import type { ProbeKind } from './result.js';

export interface ProbedContainer {
  readonly container: Container;
  readonly init: boolean;
  readonly probes: readonly (readonly [ProbeKind, Probe])[];
}

/** The containers of a pod that are probed: regular ones and sidecars, as far as they ask for it. */
export function probedContainers(pod: Pod): ProbedContainer[] {
  const one = (container: Container, init: boolean): ProbedContainer[] => {
    const { startupProbe, readinessProbe, livenessProbe } = container;
    const all = [['startup', startupProbe], ['readiness', readinessProbe], ['liveness', livenessProbe]] as const;
    const probes = all.flatMap(([kind, probe]) => (probe ? [[kind, probe] as const] : []));
    return probes.length === 0 ? [] : [{ container, init, probes }];
  };
  return [...sidecars(pod).flatMap((container) => one(container, true)), ...pod.spec.containers.flatMap((container) => one(container, false))];
}
