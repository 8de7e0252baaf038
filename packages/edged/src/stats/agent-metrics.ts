import { readdir, readFile } from 'node:fs/promises';
import { isTerminalPhase } from '../plan/containers.js';
import type { PodRecord } from '../pods/pods-view.js';
import { Counter, gauge, Histogram, type MetricFamily } from './prometheus.js';

const OPERATION_SECONDS = [0.005, 0.0125, 0.03125, 0.078125, 0.1953125, 0.48828125, 1.220703125, 3.0517578125, 7.62939453125, 19.073486328125, 47.6837158203125];

/** Counts what the agent does while it runs, under the kubelet's names. */
export class AgentMetrics {
  readonly #operations = new Counter('kubelet_runtime_operations_total', 'Calls of the container runtime');
  readonly #failures = new Counter('kubelet_runtime_operations_errors_total', 'Calls of the container runtime that failed');
  readonly #durations = new Histogram('kubelet_runtime_operations_duration_seconds', 'How long calls of the container runtime took', OPERATION_SECONDS);
  readonly #requests = new Counter('kubelet_http_requests_total', 'Requests of the local kubelet API');

  runtimeCall(operation: string, seconds: number, failed: boolean): void {
    const labels = { operation_type: operation };
    this.#operations.add(labels);
    this.#durations.observe(labels, seconds);
    if (failed) this.#failures.add(labels);
  }

  /** @param root the first part of the path */
  request(method: string, root: string): void {
    const path = ROOTS.has(root) ? root : 'other';
    const long = ['exec', 'attach', 'portForward', 'debug'].includes(root);
    this.#requests.add({ long_running: String(long), method: METHODS.has(method) ? method : 'other', path, server_type: 'readonly' });
  }

  families(): MetricFamily[] {
    return [this.#operations, this.#failures, this.#durations, this.#requests].map((one) => one.family());
  }
}

/** There is no end to what clients can write, and each would stay for ever. */
const ROOTS = new Set(['healthz', 'pods', 'runningpods', 'stats', 'metrics', 'containerLogs', 'exec', 'attach', 'portForward', 'run', 'logs', 'configz', 'checkpoint', 'debug']);
const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);

/** What the kubelet says of itself and its pods. */
export function kubeletMetrics(nodeName: string, version: string, records: readonly PodRecord[], containers: Readonly<Record<string, number>>): MetricFamily[] {
  const here = records.filter(({ removed }) => !removed);
  const active = here.filter(({ status, terminating }) => !terminating && !isTerminalPhase(status.phase));
  const running = here.filter(({ status }) => status.phase === 'Running');
  return [
    { name: 'kubelet_node_name', help: 'The name of this node', type: 'gauge', samples: [{ labels: { node: nodeName }, value: 1 }] },
    { name: 'kubernetes_build_info', help: 'The version of the agent', type: 'gauge', samples: [{ labels: { git_version: version, platform: `${process.platform}/${process.arch}` }, value: 1 }] },
    gauge('kubelet_desired_pods', 'Pods assigned to this node', here.length),
    gauge('kubelet_active_pods', 'Pods that have not ended and shall not', active.length),
    gauge('kubelet_running_pods', 'Pods that run', running.length),
    {
      name: 'kubelet_running_containers',
      help: 'Containers in the runtime, by state',
      type: 'gauge',
      samples: Object.entries(containers).map(([state, value]) => ({ labels: { container_state: state }, value })),
    },
  ];
}

/** The process of the agent, under the names that every Prometheus client uses. */
export async function processMetrics(): Promise<MetricFamily[]> {
  const { user, system } = process.cpuUsage();
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
  const [open, limits, status] = await Promise.all([
    readdir('/proc/self/fd').then((names) => names.length, () => undefined),
    readFile('/proc/self/limits', 'utf8').catch(() => ''),
    readFile('/proc/self/status', 'utf8').catch(() => ''),
  ]);
  const most = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.NaN);
  const virtual = Number(/^VmSize:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) * 1024;
  const known = (value: number): number | undefined => (Number.isNaN(value) ? undefined : value);
  return [
    { name: 'process_cpu_seconds_total', help: 'Processor time of the agent in seconds', type: 'counter', samples: [{ value: (user + system) / 1e6 }] },
    gauge('process_resident_memory_bytes', 'Resident memory of the agent', rss),
    gauge('process_virtual_memory_bytes', 'Virtual memory of the agent', known(virtual)),
    gauge('process_start_time_seconds', 'When the agent started, seconds since the epoch', Date.now() / 1000 - process.uptime()),
    gauge('process_open_fds', 'Open files of the agent', open),
    gauge('process_max_fds', 'Most open files of the agent', known(most)),
    gauge('nodejs_heap_size_total_bytes', 'Heap of the agent', heapTotal),
    gauge('nodejs_heap_size_used_bytes', 'Heap of the agent that is in use', heapUsed),
    gauge('nodejs_external_memory_bytes', 'Memory of the agent outside of the heap', external),
  ];
}
