import { chmod, lstat, mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EdgeError, errorText, type Logger, type Mount } from '@edge/core';
import type { Container, Pod, Volume } from '@edge/protocol';
import type { ObjectReader } from '../apply/object-reader.js';
import { edgedError } from '../errors.js';
import type { PodFacts } from '../plan/pod-fields.js';
import { volumeReferences } from '../plan/references.js';
import { writePayload } from './atomic-writer.js';
import type { ClaimReader } from './claims.js';
import type { CsiVolumes } from './csi/csi-volumes.js';
import { ContainerMounts } from './container-mounts.js';
import { emptyDirMount, makeEmptyDir, recordEmptyDir, tmpfsOptions } from './empty-dir.js';
import { prepareHostPath } from './host-path.js';
import { emptyDirRecord, podDirectory } from './layout.js';
import { isMountPoint, readMountTable } from './mount-table.js';
import type { Mounter } from './mounter.js';
import { giveToGroup, podOwnership } from './ownership.js';
import { volumePayload } from './payload.js';
import { isPayload, planVolumes, type VolumePlan } from './plan-volumes.js';
import { removeVolumes } from './tear-down.js';
import type { TokenReader } from './token-reader.js';

export interface VolumesDeps {
  readonly root: string;
  readonly objects: ObjectReader;
  readonly tokens: TokenReader;
  readonly claims: ClaimReader;
  readonly csi: CsiVolumes;
  /** Absent where this process cannot mount or where containers see the node's own files: volumes are plain directories then. */
  readonly mounter: Mounter | undefined;
  /** Whether the runtime can make all that is mounted below a mount read-only, by the name of the runtime's handler. */
  readonly recursiveReadOnly: (handler: string, signal: AbortSignal) => Promise<boolean>;
  /** The node labels files (SELinux): the runtime has to label what is a pod's own. */
  readonly labels: boolean;
  readonly log: Logger;
}

/** A container whose mounts are wanted. */
export interface MountsInput {
  readonly pod: Pod;
  readonly container: Container;
  /** What `prepare` returned. */
  readonly volumes: readonly VolumePlan[];
  readonly env: ReadonlyMap<string, string>;
  /** Name of the runtime's handler that the pod runs with; empty for the default. */
  readonly handler: string;
}

/** Makes, refreshes and takes down what containers mount. */
export class Volumes {
  readonly #deps: VolumesDeps;
  readonly #canGiveAway = process.getuid?.() === 0;
  /** Work in hand by pod: two writers of one volume would get in each other's way. */
  readonly #busy = new Map<string, Promise<unknown>>();
  /** Pods whose volumes are known to be gone. */
  readonly #released = new Set<string>();
  #root: Promise<string> | undefined;

  constructor(deps: VolumesDeps) {
    this.#deps = deps;
  }

  /**
   * Brings all volumes of a pod up to date; calling again changes only what is different.
   * @throws EdgeError `edged.volume`, `edged.mount`, `edged.csi`, `edged.refused`, `edged.bad-answer`
   */
  prepare(pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<readonly VolumePlan[]> {
    return this.#inTurn(pod, async (uid) => {
      const claimed = await this.#deps.claims.forPod(pod, signal);
      this.#released.delete(uid);
      const root = await this.#realRoot();
      const plans = planVolumes(root, pod, claimed).map((plan) => this.#asPossible(plan));
      if (plans.length > 0) await this.#openPodDirectory(root, uid);
      const results = await Promise.allSettled(plans.map((plan) => this.#one(root, plan, pod, facts, signal)));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
      return plans;
    });
  }

  /**
   * Brings the files that come from objects up to date, in volumes that are there.
   * @throws EdgeError `edged.volume`, `edged.refused`, `edged.bad-answer`
   */
  refresh(pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<void> {
    return this.#inTurn(pod, async () => {
      const volumes = (pod.spec.volumes ?? []).filter(isPayload);
      const plans = planVolumes(await this.#realRoot(), { ...pod, spec: { ...pod.spec, volumes } });
      for (const plan of plans) {
        if (await isThere(join(plan.path, '..data'))) await this.#payload(plan, pod, facts, signal);
      }
    });
  }

  /**
   * What a container mounts, with its sub paths made and bound.
   * @throws CannotStart
   */
  async mounts(input: MountsInput, signal: AbortSignal): Promise<Mount[]> {
    return new ContainerMounts({ ...this.#deps, root: await this.#realRoot() }).prepare(input, signal);
  }

  /**
   * Unmounts and removes the volumes of a pod whose containers have ended.
   * @throws EdgeError `edged.mount` when something is still in use; another call tries again
   */
  async release(uid: string, signal: AbortSignal): Promise<void> {
    if (this.#released.has(uid)) return;
    await this.#inTurn({ metadata: { uid } }, async () => {
      const root = await this.#realRoot();
      await this.#deps.csi.takeDown(root, uid, signal);
      const left = await removeVolumes(podDirectory(root, uid), this.#deps.mounter, signal);
      if (left.length > 0) this.#deps.log.warn('directories of volumes are left behind', { uid, left });
      this.#released.add(uid);
    });
  }

  /**
   * Removes all that the agent keeps on disk for a pod that is over.
   * @throws EdgeError `edged.mount` when something is still in use; another call tries again
   */
  async remove(uid: string, signal: AbortSignal): Promise<void> {
    await this.release(uid, signal);
    const directory = podDirectory(await this.#realRoot(), uid);
    // What others wrote into a place where a volume was to be is not ours to remove.
    if (!(await isThere(join(directory, 'volumes')))) await rm(directory, { recursive: true, force: true });
    this.#released.delete(uid);
  }

  async #inTurn<T>({ metadata: { uid = '' } }: Pick<Pod, 'metadata'>, work: (uid: string) => Promise<T>): Promise<T> {
    const before = this.#busy.get(uid) ?? Promise.resolve();
    const next = (): Promise<T> => work(uid);
    const mine = before.then(next, next);
    this.#busy.set(uid, mine);
    try {
      return await mine;
    } finally {
      if (this.#busy.get(uid) === mine) this.#busy.delete(uid);
    }
  }

  /** The root without links, because the kernel tells mount points so. */
  #realRoot(): Promise<string> {
    return (this.#root ??= realpath(this.#deps.root).catch((error: unknown) => {
      this.#root = undefined;
      throw error;
    }));
  }

  /** Other users of the node have no business there; containers get bind mounts. */
  async #openPodDirectory(root: string, uid: string): Promise<void> {
    await mkdir(podDirectory(root, uid), { recursive: true });
    if (this.#deps.mounter) await chmod(podDirectory(root, uid), 0o750);
  }

  /** Without mounting a local volume is used where it is. */
  #asPossible(plan: VolumePlan): VolumePlan {
    return plan.source.kind === 'local' && !this.#deps.mounter ? { ...plan, path: plan.source.from } : plan;
  }

  async #one(root: string, plan: VolumePlan, pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<void> {
    const { name, path, source } = plan;
    try {
      switch (source.kind) {
        case 'emptyDir':
          return await this.#emptyDir(plan, source, emptyDirRecord(root, pod.metadata.uid ?? '', name), pod, facts, signal);
        case 'payload':
          if (source.inMemory) await this.#keepInMemory(path, pod, facts, signal);
          return await this.#payload(plan, pod, facts, signal);
        case 'hostPath':
          return await prepareHostPath(name, path, source.type);
        case 'device':
          return await prepareHostPath(name, path, 'BlockDevice');
        case 'local':
          await prepareHostPath(name, source.from, 'Directory');
          if (this.#deps.mounter) await this.#mountOnce(plan, pod, { source: source.from, options: ['bind'] }, signal);
          return;
        case 'nfs':
          return await this.#mountOnce(plan, pod, { source: source.from, type: 'nfs', options: source.options }, signal);
        case 'csi':
          if (!(await this.#deps.csi.publish({ root, pod, csi: source.csi, target: path, readOnly: plan.readOnly, fsGroup: podOwnership(pod).fsGroup }, signal))) await this.#give(plan, pod, signal);
          return;
      }
    } catch (cause) {
      if (cause instanceof EdgeError || signal.aborted) throw cause;
      throw edgedError('edged.volume', `volume "${name}" cannot be prepared: ${errorText(cause)}`, cause);
    }
  }

  async #emptyDir(plan: VolumePlan, source: { medium: string; sizeLimit?: string }, record: string, pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<void> {
    const { mounter } = this.#deps;
    const how = emptyDirMount(pod, plan.name, source.medium, source.sizeLimit, facts.allocatable['memory']);
    if (how && mounter) {
      const mounted = isMountPoint(await readMountTable(), plan.path);
      if (mounted && (await isThere(join(record, 'ready')))) return;
      await mkdir(plan.path, { recursive: true });
      if (!mounted) await mounter.mount({ source: how.type, target: plan.path, type: how.type, options: how.options }, signal);
    } else if (!(await makeEmptyDir(plan.path, record))) {
      return;
    }
    await this.#give(plan, pod, signal);
    await recordEmptyDir(record);
  }

  /** Secrets do not belong on a disk. What is on disk already may be in use, and stays there until its pod ends. */
  async #keepInMemory(path: string, pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<void> {
    const { mounter } = this.#deps;
    if (!mounter || isMountPoint(await readMountTable(), path)) return;
    await mkdir(path, { recursive: true });
    if ((await readdir(path)).length > 0) return;
    await mounter.mount({ source: 'tmpfs', target: path, type: 'tmpfs', options: tmpfsOptions(pod, undefined, facts.allocatable['memory']) }, signal);
  }

  async #mountOnce(plan: VolumePlan, pod: Pod, how: { source: string; type?: string; options: readonly string[] }, signal: AbortSignal): Promise<void> {
    const { mounter } = this.#deps;
    if (!mounter) throw edgedError('edged.mount', `volume "${plan.name}" has to be mounted, for which the agent needs to be root and to have mount and umount of util-linux`);
    if (isMountPoint(await readMountTable(), plan.path)) return;
    await mkdir(plan.path, { recursive: true });
    await mounter.mount({ target: plan.path, ...how }, signal);
    await this.#give(plan, pod, signal);
  }

  async #give(plan: VolumePlan, pod: Pod, signal: AbortSignal): Promise<void> {
    const { fsGroup, onlyOnMismatch } = podOwnership(pod);
    if (fsGroup !== undefined && plan.grouped && this.#canGiveAway) await giveToGroup(plan.path, fsGroup, { onlyOnMismatch }, signal);
  }

  async #payload(plan: VolumePlan, pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<void> {
    const volume = (pod.spec.volumes ?? []).find(({ name }) => name === plan.name) as Volume;
    const objects = await this.#deps.objects.fetch(pod.metadata.namespace ?? '', volumeReferences(volume), signal);
    const tokens = await this.#deps.tokens.forVolume(pod, volume, signal);
    const owner = this.#canGiveAway ? podOwnership(pod) : undefined;
    const payload = volumePayload({ pod, volume, objects, facts, tokens, ...(owner ? { owner } : {}) });
    if (payload === undefined) return;
    try {
      if (await writePayload(plan.path, payload, owner?.fsGroup)) {
        this.#deps.log.verbose(2, 'volume written', { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, volume: volume.name, files: payload.size });
      }
    } catch (cause) {
      throw edgedError('edged.volume', `volume "${volume.name}" cannot be written to ${plan.path}: ${errorText(cause)}`, cause);
    }
  }
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
