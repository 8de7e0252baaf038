import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type Logger } from '@edge/core';
import type { EdgedConfig } from '../config.js';
import { CgroupFilesystem } from '../isolation/cgroup-filesystem.js';
import { readCgroupMounts } from '../isolation/cgroup-mounts.js';
import { podsCgroup } from '../isolation/cgroup-paths.js';
import { chooseDriver } from '../isolation/driver.js';
import { runBusctl, SystemdSlices } from '../isolation/systemd-slices.js';
import { logDirectory } from '../plan/identity.js';
import { openConfiguredRuntime, type OpenedRuntime, type OpenRuntime } from '../runtime/open-runtime.js';
import { openMounter } from '../volumes/mounter.js';
import { removeLogs } from './remove-logs.js';
import { removePodFolders } from './remove-folders.js';
import { removeSandboxes, type Removal } from './remove-sandboxes.js';

const NOTHING: Removal = { removed: [], left: [] };

export interface RemovePodsInput {
  readonly config: EdgedConfig;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** The runtime that `edge.runtime` names unless given. */
  readonly openRuntime?: OpenRuntime;
}

/**
 * Takes away all that the agent has made for pods while it does not run: sandboxes and containers, their processes and control
 * groups, mounts, volumes, logs. What is not the agent's stays: other sandboxes of the runtime, files that others put beside.
 * May be called again after a failure.
 * @throws what the runtime throws that cannot be reached while there are pods in it
 */
export async function removePods(input: RemovePodsInput): Promise<Removal> {
  const { config, log, signal, openRuntime = openConfiguredRuntime } = input;
  if (!existsSync(config.rootDirectory)) return removeLogs(config.podLogsDir);
  const root = await realpath(config.rootDirectory);
  const own = { ...config, rootDirectory: root };
  let sandboxes: Removal = NOTHING;
  let cgroups: Removal = NOTHING;
  // Without either folder there has been no pod.
  if (existsSync(join(root, 'pods')) || existsSync(join(root, 'process-runtime'))) {
    await using runtime = disposable(await openRuntime({ config: own, hostIP: '127.0.0.1', log, signal }));
    sandboxes = await removeSandboxes(runtime.opened, (uid, { metadata }) => isOwn(own, uid, metadata), signal);
    if (runtime.opened.cgroupDriver) cgroups = await removeCgroups(own, runtime.opened, log, signal);
  }
  // Nothing is taken away below containers that run on.
  const folders = sandboxes.left.length > 0 ? NOTHING : joined(await removePodFolders(root, await openMounter(), signal), await removeLogs(config.podLogsDir));
  return joined(sandboxes, cgroups, folders);
}

/** The agent makes both folders before a pod's first container; another agent at the same runtime has its own places. */
function isOwn({ rootDirectory, podLogsDir, runtime }: EdgedConfig, uid: string, { namespace, name }: { readonly namespace: string; readonly name: string }): boolean {
  if (runtime === 'process' || !/^[\w-][\w.-]*$/.test(uid)) return runtime === 'process';
  return existsSync(join(rootDirectory, 'pods', uid)) || existsSync(logDirectory(podLogsDir, { namespace, name, uid }));
}

/** Where version 2 is mounted beside version 1: the runtime makes groups there that the agent never uses. */
const BESIDE = '/sys/fs/cgroup/unified';

async function removeCgroups({ isolation }: EdgedConfig, runtime: OpenedRuntime, log: Logger, signal: AbortSignal): Promise<Removal> {
  const { driver } = chooseDriver(isolation.cgroupDriver, await runtime.cgroupDriver?.(signal));
  const files = new CgroupFilesystem({ mounts: await readCgroupMounts() });
  const all = [files, ...(existsSync(BESIDE) ? [new CgroupFilesystem({ mounts: { version: 2, hierarchies: [{ path: BESIDE, controllers: [] }] } })] : [])];
  const path = podsCgroup({ driver, root: isolation.cgroupRoot });
  // Our pods have ended: who is in there is of another agent that runs pods in the same group.
  for (const one of all) if (await one.inUse(path)) return { removed: [], left: [`control group ${path}: processes of others are in it`] };
  try {
    const there = await files.exists(path);
    if (driver === 'systemd') await new SystemdSlices({ files, busctl: runBusctl, log }).remove(path, signal);
    for (const one of all) {
      await one.remove(path, signal);
      // The groups above were made on the way to it; the kernel keeps one that something else is in.
      if (driver === 'cgroupfs') await one.removeEmpty(isolation.cgroupRoot);
    }
    return { removed: there ? [`control group ${path}`] : [], left: [] };
  } catch (error) {
    return { removed: [], left: [`control group ${path}: ${errorText(error)}`] };
  }
}

function joined(...removals: readonly Removal[]): Removal {
  return { removed: removals.flatMap(({ removed }) => removed), left: removals.flatMap(({ left }) => left) };
}

function disposable(opened: OpenedRuntime): { readonly opened: OpenedRuntime } & AsyncDisposable {
  return { opened, [Symbol.asyncDispose]: async () => opened[Symbol.asyncDispose]?.() };
}

