import { errorText, type ContainerRuntime, type Logger } from '@edge/core';
import type { PodsView } from '../pods/pods-view.js';
import { kubeletMetrics, processMetrics, type AgentMetrics } from '../stats/agent-metrics.js';
import { cadvisorMetrics } from '../stats/cadvisor-metrics.js';
import type { ModuleMetrics } from '../stats/module-metrics.js';
import { formatMetrics, gauge, type MetricFamily } from '../stats/prometheus.js';
import { resourceMetrics, scrapeError } from '../stats/resource-metrics.js';
import type { Sample } from '../stats/sample.js';
import type { Scope, Statistics } from '../stats/statistics.js';
import { summary } from '../stats/summary.js';
import { metricsText, type ApiAnswer } from './answer.js';
import type { HealthCheck } from './health.js';
import type { Handler } from './router.js';

export interface MeasurementDeps {
  readonly statistics: Statistics;
  readonly agent: AgentMetrics;
  /** What probes have found. */
  readonly probes: () => readonly MetricFamily[];
  readonly others: ModuleMetrics;
  readonly checks: readonly HealthCheck[];
  readonly pods: () => PodsView | undefined;
  readonly runtime: () => ContainerRuntime | undefined;
  readonly nodeName: string;
  readonly version: string;
  readonly log: Logger;
}

/** What is measured, by path. */
export function measurements(deps: MeasurementDeps): Record<string, Handler> {
  const { statistics, checks, probes } = deps;
  return {
    '/stats/summary': async ({ query }) => {
      const only = /^(1|t|true)$/i.test(query.get('only_cpu_and_memory') ?? '');
      // In many lines: the tunnel's other end reads answers line by line, and a long one breaks it.
      return { type: 'application/json', body: JSON.stringify(summary(await statistics.sample(only ? 'brief' : 'all'), only), undefined, 1) };
    },
    '/metrics': async ({ signal }) => metricsText(formatMetrics(await agentFamilies(deps, signal))),
    '/metrics/resource': () => scrape(deps, 'brief', resourceMetrics, scrapeError(1)),
    '/metrics/cadvisor': () => scrape(deps, 'usual', cadvisorMetrics, [gauge('container_scrape_error', '1 when containers could not be measured, else 0', 1)]),
    '/metrics/probes': () => metricsText(formatMetrics(probes())),
    '/metrics/slis': () => metricsText(formatMetrics([healthFamily(checks)])),
  };
}

/** A failure is a value of its own, so that it is seen where the others would be. */
async function scrape({ statistics, log }: MeasurementDeps, scope: Scope, families: (sample: Sample) => MetricFamily[], otherwise: MetricFamily[]): Promise<ApiAnswer> {
  try {
    return metricsText(formatMetrics(families(await statistics.sample(scope))));
  } catch (error) {
    log.verbose(1, 'containers could not be measured', { err: errorText(error) });
    return metricsText(formatMetrics(otherwise));
  }
}

async function agentFamilies({ agent, others, pods, runtime, nodeName, version }: MeasurementDeps, signal: AbortSignal): Promise<MetricFamily[]> {
  const containers: Record<string, number> = {};
  // The agent's own figures are worth most when the runtime does not answer.
  for (const { state } of (await runtime()?.listContainers(undefined, signal).catch(() => [])) ?? []) containers[state] = (containers[state] ?? 0) + 1;
  return [...kubeletMetrics(nodeName, version, pods()?.list() ?? [], containers), ...agent.families(), ...(await others.families(signal)), ...(await processMetrics())];
}

function healthFamily(checks: readonly HealthCheck[]): MetricFamily {
  return {
    name: 'kubernetes_healthcheck',
    help: '1 for a part that is well, 0 for one that is not',
    type: 'gauge',
    samples: checks.map(({ name, problem }) => ({ labels: { name, type: 'healthz' }, value: problem() === undefined ? 1 : 0 })),
  };
}
