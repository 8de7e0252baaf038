import type { ProbeCount } from '../probes/probes.js';
import type { ProbeKind } from '../probes/result.js';
import type { MetricFamily } from './prometheus.js';

const TYPES: Readonly<Record<ProbeKind, string>> = { liveness: 'Liveness', readiness: 'Readiness', startup: 'Startup' };
const RESULTS = [
  ['success', 'successful'],
  ['failure', 'failed'],
  ['error', 'unknown'],
] as const;

/** `/metrics/probes`: how often which probe had which result. */
export function probeMetrics(counts: readonly ProbeCount[]): MetricFamily[] {
  const samples = counts.flatMap((count) => {
    const { pod, container, kind } = count;
    const { name = '', namespace = '', uid = '' } = pod.metadata;
    return RESULTS.filter(([member]) => count[member] > 0).map(([member, result]) => ({
      labels: { container, namespace, pod: name, pod_uid: uid, probe_type: TYPES[kind], result },
      value: count[member],
    }));
  });
  return [{ name: 'prober_probe_total', help: 'Probes that were made, by result', type: 'counter', samples }];
}
