import type { ContainerRuntime, Logger } from '@edge/core';
import type { EdgedConfig } from '../config.js';
import type { NodeFacts } from '../node/node-facts.js';
import type { NodeKnown } from '../node/node-known.js';
import { nodeLabels } from '../plan/node-status.js';
import { parseQuantity } from '../plan/quantity.js';
import type { PodControl, PodsView } from '../pods/pods-view.js';
import type { NodeView } from './admit-pod.js';
import { Admission, type AdmissionCheck } from './admission.js';
import { Eviction } from './eviction.js';
import { isMachineStopping } from './machine-stopping.js';
import { NodeSignals } from './node-signals.js';
import { PodUseReader } from './pod-use.js';
import { Shutdown } from './shutdown.js';

export interface PolicyDeps {
  readonly nodeName: string;
  readonly config: EdgedConfig;
  readonly runtime: ContainerRuntime;
  readonly pods: PodsView & PodControl;
  readonly known: NodeKnown;
  readonly facts: NodeFacts;
  /** Control group of all pods below the mount of its hierarchy, `/kubepods`. */
  readonly podsGroup: string;
  /** Further reasons to turn pods away. */
  readonly checks: readonly AdmissionCheck[];
  /** Removes images and containers that nobody uses. */
  readonly reclaimDisk: (signal: AbortSignal) => Promise<void>;
  /** What the node has to say about itself has changed. */
  readonly onChange: () => void;
  readonly log: Logger;
}

/** What decides beyond single pods: who may run here, who has to go when the node is short, and how a shutdown goes. */
export class Policy {
  readonly admission: Admission;
  readonly eviction: Eviction;
  readonly shutdown: Shutdown;

  constructor(deps: PolicyDeps) {
    const { config, runtime, pods, facts, onChange, log } = deps;
    const { rootDirectory, podLogsDir, rules } = config;
    this.shutdown = new Shutdown({ periods: config.shutdown, isMachineStopping, pods, control: pods, onShutdown: onChange, log });
    this.eviction = new Eviction({
      ...config.eviction,
      signals: new NodeSignals({ rootDirectory, runtime, podsGroup: deps.podsGroup, podMemory: () => podMemory(facts, rules) }),
      use: new PodUseReader({ runtime, rootDirectory, podLogsDir }),
      pods,
      control: pods,
      reclaimDisk: deps.reclaimDisk,
      onPressure: onChange,
      log,
    });
    this.admission = new Admission({
      pods,
      control: pods,
      node: () => nodeView(deps),
      pressure: () => this.eviction.pressure,
      checks: [() => (this.shutdown.running ? { reason: 'NodeShutdown', message: 'the node is shutting down' } : undefined), ...deps.checks],
      log,
    });
  }
}

/** As the cloud has it; what the cloud has not said yet is what the node will say. */
function nodeView({ nodeName, config, known, facts }: PolicyDeps): NodeView {
  const { metadata, spec, status } = known.value ?? {};
  const { operatingSystem, architecture } = facts.machine;
  return {
    name: nodeName,
    operatingSystem,
    labels: { ...metadata?.labels, ...nodeLabels({ name: nodeName, operatingSystem, architecture, labels: config.nodeLabels }) },
    taints: spec ? (spec.taints ?? []) : config.registerWithTaints,
    // Resources that others have announced on the node are only known there.
    allocatable: { ...status?.allocatable, ...facts.allocatable },
  };
}

/** What all pods together may take of the memory. */
function podMemory(facts: NodeFacts, { systemReserved, kubeReserved }: EdgedConfig['rules']): bigint | undefined {
  const { memory } = facts.capacity;
  if (memory === undefined) return undefined;
  const [all, ...reserved] = [memory, systemReserved['memory'] ?? '0', kubeReserved['memory'] ?? '0'].map((text) => parseQuantity(text) / 1000n);
  return reserved.reduce((left, one) => left - one, all ?? 0n);
}
