import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText, sleep } from '@edge/core';
import { edgedError } from '../errors.js';
import { limitFiles, type CgroupLimits } from './cgroup-files.js';
import type { CgroupHierarchy, CgroupMounts } from './cgroup-mounts.js';
import type { CgroupTree } from './cgroup-tree.js';

/** Controllers without which upstream takes a pod's group for missing; the same here, so that either agent can follow the other. */
const NEEDED = ['cpu', 'cpuacct', 'cpuset', 'memory', 'systemd', 'pids', 'hugetlb'];
const DELEGATED = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids'];
const REMOVAL_TRIES = 40;
const REMOVAL_PAUSE_MS = 50;

/** Control groups as directories and files, for the driver `cgroupfs`. */
export class CgroupFilesystem implements CgroupTree {
  readonly version: 1 | 2;
  readonly controllers: ReadonlySet<string>;
  readonly #hierarchies: readonly CgroupHierarchy[];

  constructor(deps: { mounts: CgroupMounts }) {
    this.version = deps.mounts.version;
    this.#hierarchies = deps.mounts.hierarchies;
    this.controllers = new Set(this.#hierarchies.flatMap(({ controllers }) => controllers));
  }

  async exists(path: string): Promise<boolean> {
    const found = await Promise.all(
      this.#hierarchies
        .filter(({ controllers }) => this.version === 2 || controllers.some((one) => NEEDED.includes(one)))
        .map(({ path: mount }) => isThere(join(mount, path, 'cgroup.procs'))),
    );
    return found.every(Boolean);
  }

  async make(path: string, limits: CgroupLimits): Promise<void> {
    for (const hierarchy of this.#hierarchies) {
      if (this.version === 2) await delegate(hierarchy, path);
      await mkdir(join(hierarchy.path, path), { recursive: true }).catch((cause: unknown) => {
        throw edgedError('edged.cgroups', `control group ${join(hierarchy.path, path)} cannot be made: ${errorText(cause)}`, cause);
      });
      if (hierarchy.controllers.includes('cpuset') && this.version === 1) await inheritCpuset(hierarchy.path, path);
    }
    await this.write(path, limits);
  }

  /** Sets the limits of a group that is there. */
  async write(path: string, limits: CgroupLimits): Promise<void> {
    for (const { controller, file, value } of limitFiles(this.version, limits)) {
      const hierarchy = this.#hierarchies.find(({ controllers }) => controllers.includes(controller));
      if (!hierarchy) continue;
      const target = join(hierarchy.path, path, file);
      await writeFile(target, value).catch((cause: unknown) => {
        throw edgedError('edged.cgroups', `${target} cannot be set to ${value}: ${errorText(cause)}`, cause);
      });
    }
  }

  async children(path: string): Promise<readonly string[]> {
    const names = await Promise.all(this.#hierarchies.map(({ path: mount }) => directories(join(mount, path))));
    return [...new Set(names.flat())];
  }

  /** Removes a group that nothing is in, and those above it alike. */
  async removeEmpty(path: string): Promise<void> {
    const names = path.split('/').filter((name) => name !== '');
    for (let depth = names.length; depth > 0; depth -= 1) {
      for (const { path: mount } of this.#hierarchies) await rmdir(join(mount, ...names.slice(0, depth))).catch(() => undefined);
    }
  }

  /** Whether a process is in the group or below. */
  async inUse(path: string): Promise<boolean> {
    return (await Promise.all(this.#hierarchies.map(({ path: mount }) => processes(join(mount, path))))).some((found) => found.length > 0);
  }

  async remove(path: string, signal: AbortSignal): Promise<void> {
    if (path === '/' || path === '') return;
    const groups = this.#hierarchies.map(({ path: mount }) => join(mount, path));
    let failure: unknown;
    for (let attempt = 0; attempt < REMOVAL_TRIES; attempt += 1) {
      for (const group of groups) for (const pid of await processes(group)) end(pid);
      failure = undefined;
      for (const group of groups) await removeTree(group).catch((error: unknown) => (failure = error));
      if (failure === undefined) return;
      await sleep(REMOVAL_PAUSE_MS, signal);
    }
    throw edgedError('edged.cgroups', `control group ${path} cannot be removed: ${errorText(failure)}`, failure);
  }
}

/** Lets the groups on the way use the controllers. One that the tree refuses is left out: its limits then do not hold. */
async function delegate({ path: mount, controllers }: CgroupHierarchy, path: string): Promise<void> {
  const wanted = DELEGATED.filter((one) => controllers.includes(one));
  const names = path.split('/').filter((name) => name !== '');
  for (let depth = 0; depth < names.length; depth += 1) {
    const parent = join(mount, ...names.slice(0, depth));
    await mkdir(parent, { recursive: true });
    const file = join(parent, 'cgroup.subtree_control');
    const enabled = (await readFile(file, 'utf8').catch(() => '')).split(/\s+/);
    for (const controller of wanted) {
      if (!enabled.includes(controller)) await writeFile(file, `+${controller}`).catch(() => undefined);
    }
  }
}

/** A new group of version 1 has no processors and no memory nodes, and takes no process before it has. */
async function inheritCpuset(mount: string, path: string): Promise<void> {
  let parent = mount;
  for (const name of path.split('/').filter((part) => part !== '')) {
    const group = join(parent, name);
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if ((await readFile(join(group, file), 'utf8')).trim() !== '') continue;
      await writeFile(join(group, file), (await readFile(join(parent, file), 'utf8')).trim());
    }
    parent = group;
  }
}

/** All processes of a group and of those below it. */
async function processes(group: string): Promise<number[]> {
  const own = (await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  const below = await Promise.all((await directories(group)).map((name) => processes(join(group, name))));
  // 0 stands for a process of another process namespace, which cannot be ended from here.
  return [...own.map(Number), ...below.flat()].filter((pid) => pid > 0);
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

async function removeTree(group: string): Promise<void> {
  for (const name of await directories(group)) await removeTree(join(group, name));
  await rmdir(group).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
}

async function directories(path: string): Promise<string[]> {
  try {
    return (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function isThere(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  );
}
