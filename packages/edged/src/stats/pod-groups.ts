import { readdir, readFile, access } from 'node:fs/promises';
import { join } from 'node:path';

/** The control groups of one pod. Paths are below the hierarchy's root. */
export interface PodGroup {
  readonly path: string;
  /** By runtime id, of containers and sandboxes. */
  readonly containers: ReadonlyMap<string, string>;
}

/** Below the pods' root: classes of service, in each the pods. */
const LEVELS = 2;

/** The control groups that belong to pods, whoever made them and by whichever driver. */
export class PodGroups {
  readonly #root: string;
  readonly #podsRoot: string;
  #version: 1 | 2 | undefined;

  /**
   * @param deps.root where cgroups are mounted, `/sys/fs/cgroup`
   * @param deps.cgroupRoot group below which the pods' groups are made (`tailoredKubeletConfig.cgroupRoot`), empty for the top
   */
  constructor(deps: { root: string; cgroupRoot: string }) {
    this.#root = deps.root;
    this.#podsRoot = join('/', deps.cgroupRoot);
  }

  /** 2 where all controllers live in one hierarchy. */
  async version(): Promise<1 | 2> {
    this.#version ??= await access(join(this.#root, 'cgroup.controllers')).then(
      () => 2,
      () => 1,
    );
    return this.#version;
  }

  /** Directory of a group in the hierarchy that is looked through: the memory controller has every group of a pod. */
  async directory(path: string): Promise<string> {
    return join(this.#root, (await this.version()) === 1 ? 'memory' : '', path);
  }

  /** Groups by the uid of the pod, as `podKey` makes it. */
  async list(): Promise<ReadonlyMap<string, PodGroup>> {
    const pods = new Map<string, PodGroup>();
    for (const top of ['kubepods', 'kubepods.slice']) await this.#collect(join(this.#podsRoot, top), LEVELS, pods);
    return pods;
  }

  /** Process ids in a group, at most one when only one is needed. */
  async processes(path: string): Promise<number[]> {
    const text = await readFile(join(await this.directory(path), 'cgroup.procs'), 'utf8').catch(() => '');
    return text.split('\n').map(Number).filter((pid) => pid > 0);
  }

  async #collect(path: string, levels: number, pods: Map<string, PodGroup>): Promise<void> {
    for (const name of await this.#children(path)) {
      const below = join(path, name);
      const uid = /^(?:kubepods-(?:burstable-|besteffort-)?)?pod(.+?)(?:\.slice)?$/.exec(name)?.[1];
      if (uid !== undefined) pods.set(podKey(uid), { path: below, containers: await this.#containers(below) });
      else if (levels > 1) await this.#collect(below, levels - 1, pods);
    }
  }

  async #containers(pod: string): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const name of await this.#children(pod)) {
      // `crio-conmon-…` is a helper outside of the container.
      const id = /^(?:(?:cri-containerd|crio|docker)-)?([0-9a-f]{12,64})(?:\.scope)?$/.exec(name)?.[1];
      if (id !== undefined) found.set(id, join(pod, name));
    }
    return found;
  }

  async #children(path: string): Promise<string[]> {
    const entries = await readdir(await this.directory(path), { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  }
}

/** Slices of systemd cannot have a dash in the uid. */
export function podKey(uid: string): string {
  return uid.replaceAll('-', '_');
}
