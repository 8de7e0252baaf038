import { realpath } from 'node:fs/promises';
import type { Mount } from '@edge/core';
import { CannotStart } from '../errors.js';
import { subPathDirectory } from './layout.js';
import { mountOf, readMountTable } from './mount-table.js';
import type { Mounter } from './mounter.js';
import { planMounts, type MountPlan } from './plan-mounts.js';
import { prepareSubPath } from './sub-paths.js';
import type { MountsInput, VolumesDeps } from './volumes.js';

/** What a container mounts, in the words of the runtime. */
export class ContainerMounts {
  readonly #root: string;
  readonly #mounter: Mounter | undefined;
  readonly #recursiveReadOnly: VolumesDeps['recursiveReadOnly'];
  readonly #labels: boolean;

  constructor(deps: Pick<VolumesDeps, 'root' | 'mounter' | 'recursiveReadOnly' | 'labels'>) {
    this.#root = deps.root;
    this.#mounter = deps.mounter;
    this.#recursiveReadOnly = deps.recursiveReadOnly;
    this.#labels = deps.labels;
  }

  /** @throws CannotStart */
  async prepare(input: MountsInput, signal: AbortSignal): Promise<Mount[]> {
    const mounts: Mount[] = [];
    for (const plan of planMounts(input.container, input.volumes, input.env)) mounts.push(await this.#mount(plan, input, signal));
    return mounts;
  }

  async #mount(plan: MountPlan, input: MountsInput, signal: AbortSignal): Promise<Mount> {
    const { volume, containerPath, subPath, propagation } = plan;
    const uid = input.pod.metadata.uid ?? '';
    const bound = subPathDirectory(this.#root, uid, volume.name, input.container.name, plan.index);
    const hostPath = subPath === '' ? volume.path : await prepareSubPath(plan, bound, this.#mounter, signal);
    if (propagation && this.#mounter) await this.#checkPropagation(plan, hostPath);
    return {
      containerPath,
      hostPath,
      ...(plan.readOnly ? { readOnly: true } : {}),
      ...(propagation ? { propagation } : {}),
      ...((await this.#isRecursive(plan, input.handler, signal)) ? { recursiveReadOnly: true } : {}),
      ...(this.#labels && volume.grouped ? { selinuxRelabel: true } : {}),
    };
  }

  async #isRecursive({ recursiveReadOnly, containerPath }: MountPlan, handler: string, signal: AbortSignal): Promise<boolean> {
    if (recursiveReadOnly === 'no') return false;
    const can = await this.#recursiveReadOnly(handler, signal);
    if (!can && recursiveReadOnly === 'yes') {
      throw new CannotStart('CreateContainerConfigError', `the mount ${containerPath} has to be recursively read-only, which the container runtime cannot do with its handler "${handler}"`);
    }
    return can;
  }

  /** The runtime would refuse it in words that name neither the reason nor the remedy. */
  async #checkPropagation({ propagation, containerPath }: MountPlan, hostPath: string): Promise<void> {
    const path = await realpath(hostPath).catch(() => hostPath);
    const mount = mountOf(await readMountTable(), path);
    if (!mount || mount.propagation === 'shared' || (mount.propagation === 'slave' && propagation === 'hostToContainer')) return;
    throw new CannotStart(
      'CreateContainerError',
      `the mount ${containerPath} asks for mount propagation, but ${path} lies in the mount ${mount.mountPoint}, which is not shared: run "mount --make-rshared ${mount.mountPoint}" on the node`,
    );
  }
}
