import { errorText, isAbort, type Logger } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { podRequests, whole, type Amounts } from '../plan/pod-resources.js';
import { qosClass } from '../plan/qos.js';
import { UNBOUNDED_HUGEPAGES, type CgroupLimits } from './cgroup-files.js';
import { parentsOfPods, podCgroup, podOfCgroup, podsCgroup, possiblePodCgroups, qosCgroup, type CgroupNaming } from './cgroup-paths.js';
import type { CgroupTree } from './cgroup-tree.js';
import { cpuShares } from './cpu.js';
import type { ReservedGroup } from './reservations.js';
import { hugepages, podCgroupLimits, type ResourcesInput } from './resources.js';

export interface PodCgroupsDeps {
  readonly tree: CgroupTree;
  readonly naming: CgroupNaming;
  readonly resources: ResourcesInput;
  /** Most processes of a pod; 0 or less: no limit. */
  readonly podPidsLimit: number;
  /** What all pods together may take, `pid` among it. */
  readonly podsMayTake: Amounts;
  readonly reserved: readonly ReservedGroup[];
  /** The pods that count: those that have not ended. */
  readonly pods: () => readonly Pod[];
  readonly log: Logger;
}

/** The control groups of pods: one for all of them, one for each class, one for each pod. */
export class PodCgroups {
  readonly #deps: PodCgroupsDeps;
  #burstableShares: number | undefined;
  /** The last complaint about a limit that the kernel does not take yet, so that it is made once. */
  #complaint = '';

  constructor(deps: PodCgroupsDeps) {
    this.#deps = deps;
  }

  /**
   * Makes the groups that pods are put into and sets their limits; to be repeated from time to time.
   * @throws EdgeError `edged.cgroups`
   */
  async prepare(): Promise<void> {
    const { tree, naming, resources } = this.#deps;
    await tree.make(podsCgroup(naming), {});
    await this.#limitNode();
    const open: CgroupLimits = { hugepages: new Map(resources.machine.hugepageSizes.map((size) => [size, UNBOUNDED_HUGEPAGES])) };
    await tree.make(qosCgroup(naming, 'BestEffort'), { ...open, cpuShares: cpuShares(0n) });
    await tree.make(qosCgroup(naming, 'Burstable'), open);
    await this.#weighBurstable();
  }

  /** What the runtime is told as the parent of all groups of the pod. */
  parent(pod: Pod): string {
    return podCgroup(this.#deps.naming, pod);
  }

  exists(pod: Pod): Promise<boolean> {
    return this.#deps.tree.exists(this.parent(pod));
  }

  /**
   * Makes the group of a pod that is about to start.
   * @throws EdgeError `edged.cgroups`
   */
  async make(pod: Pod): Promise<void> {
    const { tree, resources, podPidsLimit } = this.#deps;
    await this.#weighBurstable();
    await tree.make(this.parent(pod), podCgroupLimits(pod, podPidsLimit, resources));
  }

  /**
   * Removes the group of a pod that is over, with whatever still runs in it.
   * @throws EdgeError `edged.cgroups`
   */
  async release(uid: string, signal: AbortSignal): Promise<void> {
    for (const path of possiblePodCgroups(this.#deps.naming, uid)) await this.#deps.tree.remove(path, signal);
  }

  /** Removes the groups of pods that nobody knows. */
  async sweep(isKnown: (uid: string) => boolean, signal: AbortSignal): Promise<void> {
    const { tree, naming, log } = this.#deps;
    for (const parent of parentsOfPods(naming)) {
      for (const folder of await tree.children(parent)) {
        const uid = podOfCgroup(naming, folder);
        if (uid === undefined || isKnown(uid)) continue;
        log.info('control group of a pod that is gone is removed', { uid });
        await this.release(uid, signal).catch((error: unknown) => {
          if (isAbort(error)) throw error;
          log.warn('control group of a pod that is gone cannot be removed', { uid, err: errorText(error) });
        });
      }
    }
  }

  /** Burstable pods together weigh as much against the others as they ask for. */
  async #weighBurstable(): Promise<void> {
    const { tree, naming, pods } = this.#deps;
    const asked = pods()
      .filter((pod) => qosClass(pod) === 'Burstable')
      .reduce((sum, pod) => sum + (podRequests(pod).get('cpu') ?? 0n), 0n);
    const shares = cpuShares(asked);
    if (shares === this.#burstableShares) return;
    await tree.make(qosCgroup(naming, 'Burstable'), { cpuShares: shares });
    this.#burstableShares = shares;
  }

  /** While pods use more than the limit the kernel refuses it: eviction brings it down, and the next round sets it. */
  async #limitNode(): Promise<void> {
    const { tree, naming, podsMayTake, reserved, log } = this.#deps;
    const wishes = [
      { path: podsCgroup(naming), limits: this.#nodeLimits(podsMayTake) },
      ...reserved.map(({ cgroup, limits }) => ({ path: `/${cgroup.replace(/^\/+/, '')}`, limits: this.#nodeLimits(limits) })),
    ];
    const failures: string[] = [];
    for (const { path, limits } of wishes) await tree.make(path, limits).catch((error: unknown) => failures.push(errorText(error)));
    const complaint = failures.join('; ');
    if (complaint !== '' && complaint !== this.#complaint) log.warn('what is reserved on this node cannot be enforced now', { err: complaint });
    this.#complaint = complaint;
  }

  #nodeLimits(limits: Amounts): CgroupLimits {
    const cpu = limits.get('cpu');
    return {
      ...(cpu === undefined ? {} : { cpuShares: cpuShares(cpu) }),
      ...(limits.has('memory') ? { memoryBytes: whole(limits.get('memory')) } : {}),
      ...(limits.has('pid') ? { pids: whole(limits.get('pid')) } : {}),
      ...([...limits.keys()].some((name) => name !== 'cpu') ? { hugepages: hugepages(limits, this.#deps.resources.machine) } : {}),
    };
  }
}
