import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerRuntime, ContainerStats, PodSandbox, RuntimeContainer } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { containerName, logDirectory, PodLabels } from '../plan/identity.js';
import type { PodsView } from '../pods/pods-view.js';
import { readAgentUse } from './agent-use.js';
import { readCgroupUse, type CgroupUse } from './cgroup-use.js';
import { DiskUse, filesystemState } from './disk-use.js';
import { PodGroups, podKey, type PodGroup } from './pod-groups.js';
import { parseNetDev, readMachineUse, type InterfaceUse, type MachineUse } from './proc.js';
import { Rates } from './rates.js';
import { useOfStats, type ContainerSample, type NodeSample, type PodSample, type Sample, type SystemSample, type VolumeSample } from './sample.js';
import { measuredVolumes } from './volumes.js';

/** Who asks within this time of an answer gets the same one: a scrape of all paths is one look at the machine. */
const FRESH_MS = 3000;
/** A runtime that takes longer has more to do than to be measured. */
const PATIENCE_MS = 20_000;
/** Pods looked at side by side. */
const SIDE_BY_SIDE = 16;

/** How much is looked at: processor and memory; besides them network, limits and devices; all of it with disks and volumes. */
export type Scope = 'brief' | 'usual' | 'all';

const SCOPES: readonly Scope[] = ['brief', 'usual', 'all'];

export interface StatisticsDeps {
  readonly nodeName: string;
  readonly runtime: () => ContainerRuntime | undefined;
  readonly pods: () => PodsView | undefined;
  readonly rootDirectory: string;
  readonly podLogsDir: string;
  readonly volumeStatsMs: number;
  readonly cgroupRoot: string;
  /** Where control groups are mounted; `/sys/fs/cgroup` unless given. */
  readonly cgroupMount?: string;
}

interface Listed {
  readonly sandboxes: readonly PodSandbox[];
  readonly containers: readonly RuntimeContainer[];
  readonly stats: ReadonlyMap<string, ContainerStats>;
  readonly groups: ReadonlyMap<string, PodGroup>;
  readonly version: 1 | 2;
}

/**
 * Measures the machine and its pods when somebody asks, and never by itself. Processor and memory come from the control
 * groups, where they are there, else from the runtime.
 */
export class Statistics {
  readonly #deps: StatisticsDeps;
  readonly #mount: string;
  readonly #groups: PodGroups;
  readonly #disks: DiskUse;
  readonly #rates = new Rates();
  readonly #agentStartedAt = Date.now() - process.uptime() * 1000;
  #ownNetwork: Promise<string | undefined> | undefined;
  #last: { readonly at: number; readonly scope: Scope; readonly sample: Promise<Sample> } | undefined;

  constructor(deps: StatisticsDeps) {
    this.#deps = deps;
    this.#mount = deps.cgroupMount ?? '/sys/fs/cgroup';
    this.#groups = new PodGroups({ root: this.#mount, cgroupRoot: deps.cgroupRoot });
    this.#disks = new DiskUse({ maxAgeMs: deps.volumeStatsMs });
  }

  sample(scope: Scope): Promise<Sample> {
    const last = this.#last;
    if (last && Date.now() - last.at < FRESH_MS && SCOPES.indexOf(last.scope) >= SCOPES.indexOf(scope)) return last.sample;
    // Not ended by the one who asked first and left: others may wait for the same answer.
    const sample = this.#measure(scope, AbortSignal.timeout(PATIENCE_MS));
    const mine = { at: Date.now(), scope, sample };
    this.#last = mine;
    sample.catch(() => {
      if (this.#last === mine) this.#last = undefined;
    });
    return sample;
  }

  async #measure(scope: Scope, signal: AbortSignal): Promise<Sample> {
    const at = Date.now();
    const [machine, listed, agent] = await Promise.all([readMachineUse(), this.#list(signal), readAgentUse()]);
    const pods: PodSample[] = [];
    for (let from = 0; from < listed.sandboxes.length; from += SIDE_BY_SIDE) {
      const some = listed.sandboxes.slice(from, from + SIDE_BY_SIDE);
      pods.push(...(await Promise.all(some.map((sandbox) => this.#pod(sandbox, listed, at, scope, signal)))));
    }
    const node = await this.#node(machine, agent, listed, at, scope, signal);
    this.#rates.forgetOthers();
    return { at, node, pods };
  }

  async #list(signal: AbortSignal): Promise<Listed> {
    const runtime = this.#deps.runtime();
    const [sandboxes = [], containers = [], stats = [], groups, version] = await Promise.all([
      runtime?.listPodSandboxes({ state: 'ready' }, signal),
      runtime?.listContainers({ state: 'running' }, signal),
      runtime?.listContainerStats?.({}, signal),
      this.#groups.list(),
      this.#groups.version(),
    ]);
    return {
      sandboxes: sandboxes.filter(({ labels }) => labels[PodLabels.uid]),
      containers,
      stats: new Map(stats.map((one) => [one.id, one])),
      groups,
      version,
    };
  }

  async #node(machine: MachineUse, agent: CgroupUse, listed: Listed, at: number, scope: Scope, signal: AbortSignal): Promise<NodeSample> {
    const { nodeName, rootDirectory, cgroupRoot } = this.#deps;
    const podsPath = join('/', cgroupRoot, 'kubepods');
    const [fs, imageFs] = scope === 'all' ? await Promise.all([filesystemState(rootDirectory).catch(() => undefined), this.#imageFs(signal)]) : [];
    const plain = this.#read(listed, podsPath, scope);
    const podsUse = plain.cpuNanoseconds === undefined ? this.#read(listed, `${podsPath}.slice`, scope) : plain;
    return {
      name: nodeName,
      machine,
      cpuRate: this.#rates.of('node', machine.cpuNanoseconds, at, machine.bootedAt),
      ...(fs ? { fs } : {}),
      ...(imageFs ? { imageFs } : {}),
      agent: this.#system('agent', agent, at, this.#agentStartedAt),
      ...(podsUse.cpuNanoseconds === undefined ? {} : { podsGroup: this.#system('pods', podsUse, at, machine.bootedAt) }),
    };
  }

  #read({ version }: Listed, path: string, scope: Scope): CgroupUse {
    return readCgroupUse(this.#mount, version, path, scope === 'brief' ? 'brief' : 'full');
  }

  #system(key: string, use: CgroupUse, at: number, startedAt: number): SystemSample {
    return { startedAt, use, cpuRate: this.#rates.of(key, use.cpuNanoseconds ?? 0, at, startedAt) };
  }

  async #imageFs(signal: AbortSignal): Promise<NodeSample['imageFs']> {
    const [first] = (await this.#deps.runtime()?.imageFilesystems?.(signal)) ?? [];
    const state = first && (await filesystemState(first.mountpoint).catch(() => undefined));
    return state && { ...state, ownBytes: first.usedBytes, ownInodes: first.inodesUsed };
  }

  async #pod(sandbox: PodSandbox, listed: Listed, at: number, scope: Scope, signal: AbortSignal): Promise<PodSample> {
    const { uid, name, namespace } = sandbox.metadata;
    const group = listed.groups.get(podKey(uid));
    const mine = listed.containers.filter(({ sandboxId }) => sandboxId === sandbox.id);
    const use = group && this.#read(listed, group.path, scope);
    const [interfaces, containers, volumes] = await Promise.all([
      group && scope !== 'brief' ? this.#network(group) : undefined,
      Promise.all(mine.map((container) => this.#container(container, sandbox, group, listed, at, scope, signal))),
      scope === 'all' ? this.#volumes(this.#deps.pods()?.byUid(uid)?.pod, signal) : [],
    ]);
    return {
      uid,
      name,
      namespace,
      sandboxId: sandbox.id,
      startedAt: sandbox.createdAt,
      ...(group && use ? { group: { path: group.path, use, cpuRate: this.#rates.of(`pod ${uid}`, use.cpuNanoseconds ?? 0, at, sandbox.createdAt) } } : {}),
      ...(interfaces ? { interfaces } : {}),
      containers,
      volumes,
    };
  }

  async #container(
    container: RuntimeContainer,
    sandbox: PodSandbox,
    group: PodGroup | undefined,
    listed: Listed,
    at: number,
    scope: Scope,
    signal: AbortSignal,
  ): Promise<ContainerSample> {
    const name = containerName(container);
    const told = listed.stats.get(container.id);
    const path = group?.containers.get(container.id);
    const folder = join(logDirectory(this.#deps.podLogsDir, sandbox.metadata), name);
    const use: CgroupUse = { ...(told ? useOfStats(told) : {}), ...(path === undefined ? {} : this.#read(listed, path, scope)) };
    const logs = scope === 'all' ? await this.#disks.of(folder, signal) : undefined;
    return {
      id: container.id,
      name,
      image: container.image,
      startedAt: container.createdAt,
      ...(path === undefined ? {} : { path }),
      use,
      ...(use.cpuNanoseconds === undefined ? {} : { cpuRate: this.#rates.of(container.id, use.cpuNanoseconds, at, container.createdAt) }),
      ...(told?.writableLayer ? { writableLayer: told.writableLayer } : {}),
      ...(logs ? { logs } : {}),
    };
  }

  /** Seen from any process of the pod. Nothing for a pod in the host's network: that traffic is the node's. */
  async #network(group: PodGroup): Promise<readonly InterfaceUse[] | undefined> {
    this.#ownNetwork ??= readlink('/proc/self/ns/net').catch(() => undefined);
    const own = await this.#ownNetwork;
    for (const path of group.containers.values()) {
      const [pid] = await this.#groups.processes(path);
      if (pid === undefined) continue;
      const network = await readlink(`/proc/${pid}/ns/net`).catch(() => undefined);
      if (network === undefined) continue;
      if (network === own) return undefined;
      const text = await readFile(`/proc/${pid}/net/dev`, 'utf8').catch(() => undefined);
      if (text !== undefined) return parseNetDev(text);
    }
    return undefined;
  }

  async #volumes(pod: Pod | undefined, signal: AbortSignal): Promise<readonly VolumeSample[]> {
    if (!pod) return [];
    const found = await Promise.all(
      measuredVolumes(this.#deps.rootDirectory, pod).map(async ({ name, path, ephemeral }): Promise<VolumeSample | undefined> => {
        const fs = await filesystemState(path).catch(() => undefined);
        const use = fs && (await this.#disks.of(path, signal));
        return fs && { name, ephemeral, fs, ...(use ? { use } : {}) };
      }),
    );
    return found.filter((one) => one !== undefined);
  }
}
