import type { NodeIdentity } from '@edge/core';
import type { EdgedConfig } from '../config.js';
import { readMachineIdentity, readMachineResources } from '../facts/machine.js';
import type { Quantities } from '../plan/node-resources.js';
import { nodeStatus, type MachineIdentity, type ReportedNodeStatus } from '../plan/node-status.js';
import type { Pressure } from '../policy/pressure.js';
import type { RuntimeKeeper } from '../runtime/runtime-keeper.js';
import type { NodeKnown } from './node-known.js';

export interface NodeFactsDeps {
  readonly identity: NodeIdentity;
  readonly config: EdgedConfig;
  readonly known: NodeKnown;
  readonly runtime: RuntimeKeeper;
  /** Other reasons for which the node cannot run pods. */
  readonly notReady?: () => readonly string[];
  /** What the node is short of. */
  readonly pressure?: () => ReadonlySet<Pressure>;
  /** The node has other addresses than before. */
  readonly onAddresses?: () => void;
}

/** What is to be said about the node, gathered anew at each refresh. */
export class NodeFacts {
  readonly #deps: NodeFactsDeps;
  #machine: MachineIdentity | undefined;
  #addresses: readonly string[] = [];
  #status: ReportedNodeStatus | undefined;

  constructor(deps: NodeFactsDeps) {
    this.#deps = deps;
  }

  /** Known after the first refresh. */
  get machine(): MachineIdentity {
    return this.#machine as MachineIdentity;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get capacity(): Quantities {
    return this.#status?.capacity ?? {};
  }

  get allocatable(): Quantities {
    return this.#status?.allocatable ?? {};
  }

  async refresh(): Promise<ReportedNodeStatus> {
    const { identity, config, known, runtime: keeper } = this.#deps;
    this.#machine ??= await readMachineIdentity();
    const [addresses, resources, runtime] = await Promise.all([
      identity.addresses(),
      readMachineResources(config.rootDirectory),
      keeper.condition(),
    ]);
    const moved = this.#status !== undefined && addresses.join() !== this.#addresses.join();
    this.#addresses = addresses;
    if (moved) this.#deps.onAddresses?.();
    this.#status = nodeStatus({
      name: identity.name,
      addresses,
      identity: this.#machine,
      resources,
      rules: config.rules,
      agentVersion: identity.version,
      runtimeVersion: runtime.version,
      images: runtime.images,
      notReady: [...runtime.notReady, ...(this.#deps.notReady?.() ?? [])],
      pressure: this.#deps.pressure?.() ?? new Set(),
      ...(runtime.handlers ? { handlers: runtime.handlers } : {}),
      previous: known.value?.status?.conditions ?? this.#status?.conditions ?? [],
      now: Date.now(),
    });
    return this.#status;
  }
}
