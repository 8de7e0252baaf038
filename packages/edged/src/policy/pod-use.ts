import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerRuntime, ContainerStats } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { directoryUse, type DirectoryUse } from '../facts/directory-use.js';
import { containerName, logDirectory, PodLabels } from '../plan/identity.js';
import { podDirectory } from '../volumes/layout.js';
import type { PodUse } from './rank-pods.js';
import { resourceOf } from './rank-pods.js';
import type { EvictionSignal } from './thresholds.js';

/** What of a pod's files lies on the disk in question. */
export interface DiskParts {
  /** Logs and volumes. */
  readonly files: boolean;
  /** What containers write into themselves. */
  readonly layers: boolean;
}

export interface PodUseDeps {
  readonly runtime: Pick<ContainerRuntime, 'listContainerStats'>;
  readonly rootDirectory: string;
  readonly podLogsDir: string;
}

/** Measures what pods use. Only asked when something is scarce or limited, because looking through files costs. */
export class PodUseReader {
  readonly #deps: PodUseDeps;

  constructor(deps: PodUseDeps) {
    this.#deps = deps;
  }

  /** By uid; pods that cannot be measured are left out. */
  async measure(signal: EvictionSignal, pods: readonly Pod[], parts: DiskParts, abort: AbortSignal): Promise<ReadonlyMap<string, PodUse>> {
    switch (resourceOf(signal)) {
      case 'memory':
        return this.#memory(abort);
      case 'pids':
        return processesOf(pods);
      case 'inodes':
        return this.disk(pods, parts, ({ inodes }) => inodes, abort);
      case 'ephemeral-storage':
        return this.disk(pods, parts, ({ bytes }) => bytes, abort);
    }
  }

  /** One pod after the other: this runs when the disk has enough to do. */
  async disk(pods: readonly Pod[], parts: DiskParts, pick: (use: DirectoryUse) => bigint, abort: AbortSignal): Promise<ReadonlyMap<string, PodUse>> {
    const layers = parts.layers ? await this.#stats(abort) : new Map<string, ContainerStats[]>();
    const found = new Map<string, PodUse>();
    for (const pod of pods) {
      const { name = '', namespace = '', uid = '' } = pod.metadata;
      const containers = new Map<string, bigint>();
      const add = (container: string, amount: bigint): unknown => containers.set(container, (containers.get(container) ?? 0n) + amount);
      for (const one of layers.get(uid) ?? []) {
        const { usedBytes = 0, inodesUsed = 0 } = one.writableLayer ?? {};
        add(containerName(one), pick({ bytes: BigInt(usedBytes), inodes: BigInt(inodesUsed) }));
      }
      let volumes = 0n;
      if (parts.files) {
        const logs = logDirectory(this.#deps.podLogsDir, { namespace, name, uid });
        for (const container of await folders(logs)) add(container, pick(await directoryUse(join(logs, container), abort)));
        volumes = pick(await directoryUse(join(podDirectory(this.#deps.rootDirectory, uid), 'volumes'), abort));
      }
      found.set(uid, { total: [...containers.values()].reduce((sum, one) => sum + one, volumes), containers });
    }
    return found;
  }

  async #memory(abort: AbortSignal): Promise<ReadonlyMap<string, PodUse>> {
    const found = new Map<string, PodUse>();
    for (const [uid, all] of await this.#stats(abort)) {
      const containers = new Map(all.map((one) => [containerName(one), BigInt(one.memoryWorkingSetBytes ?? 0)]));
      found.set(uid, { total: [...containers.values()].reduce((sum, one) => sum + one, 0n), containers });
    }
    return found;
  }

  async #stats(abort: AbortSignal): Promise<Map<string, ContainerStats[]>> {
    const byPod = new Map<string, ContainerStats[]>();
    for (const one of (await this.#deps.runtime.listContainerStats?.(undefined, abort)) ?? []) {
      const uid = one.labels[PodLabels.uid] ?? '';
      byPod.set(uid, [...(byPod.get(uid) ?? []), one]);
    }
    return byPod;
  }
}

/** By the control group that each process is in: its path holds the uid of the pod. */
async function processesOf(pods: readonly Pod[]): Promise<ReadonlyMap<string, PodUse>> {
  const counts = new Map(pods.map(({ metadata }) => [metadata.uid ?? '', 0n]));
  const forms = [...counts.keys()].map((uid) => [uid, `pod${uid}`, `pod${uid.replaceAll('-', '_')}`] as const);
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    for (const [uid, plain, slice] of forms) {
      if (groups.includes(plain) || groups.includes(slice)) counts.set(uid, (counts.get(uid) ?? 0n) + 1n);
    }
  }
  return new Map([...counts].map(([uid, total]) => [uid, { total, containers: new Map<string, bigint>() }]));
}

async function folders(directory: string): Promise<string[]> {
  const found = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return found.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
