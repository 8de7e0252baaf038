import { dirname } from 'node:path';
import type { Logger } from '@edge/core';
import type { EdgedConfig } from '../config.js';
import type { AgentMetrics } from '../stats/agent-metrics.js';
import type { ModuleMetrics } from '../stats/module-metrics.js';
import type { MetricFamily } from '../stats/prometheus.js';
import { Statistics } from '../stats/statistics.js';
import type { HealthCheck } from './health.js';
import { KubeletApi } from './kubelet-api.js';
import { measurements } from './measurements.js';
import type { PodHost } from './pod-host.js';
import { routes } from './routes.js';

export interface KubeletApiParts {
  readonly config: EdgedConfig;
  readonly host: PodHost;
  readonly agent: AgentMetrics;
  readonly probes: () => readonly MetricFamily[];
  /** Figures of other modules. */
  readonly others: ModuleMetrics;
  /** What is wrong with the work on pods, in words. */
  readonly syncProblem: () => string | undefined;
  readonly nodeName: string;
  readonly version: string;
  readonly log: Logger;
}

/** The local kubelet API with all its paths. */
export function createKubeletApi({ config, host, agent, probes, others, syncProblem, nodeName, version, log }: KubeletApiParts): KubeletApi {
  const { api, readOnlyPort, rootDirectory, podLogsDir, kubeletConfig } = config;
  const fine = (): undefined => undefined;
  const checks: HealthCheck[] = [
    { name: 'ping', problem: fine },
    { name: 'log', problem: fine },
    { name: 'syncloop', problem: syncProblem },
  ];
  const statistics = new Statistics({
    nodeName,
    runtime: () => host.runtime(),
    pods: () => host.pods(),
    rootDirectory,
    podLogsDir,
    volumeStatsMs: api.volumeStatsMs,
    cgroupRoot: String(kubeletConfig['cgroupRoot'] ?? ''),
  });
  return new KubeletApi({
    config: { ...api, port: readOnlyPort },
    routes: routes({
      host,
      checks,
      measurements: measurements({ statistics, agent, probes, others, checks, pods: () => host.pods(), runtime: () => host.runtime(), nodeName, version, log }),
      kubeletConfig,
      nodeLogDirectories: ['/var/log', dirname(podLogsDir)],
      switches: api.switches,
    }),
    count: (method, pathname) => agent.request(method, pathname.split('/').find((part) => part !== '') ?? ''),
    log,
  });
}
