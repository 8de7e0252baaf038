import { release } from 'node:os';
import { join } from 'node:path';
import type { ContainerRuntime, Logger } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { readMachineResources } from '../facts/machine.js';
import { nodeResources, type ResourceRules } from '../plan/node-resources.js';
import { amounts, whole } from '../plan/pod-resources.js';
import { CgroupFilesystem } from './cgroup-filesystem.js';
import { readCgroupMounts } from './cgroup-mounts.js';
import type { IsolationConfig } from './config.js';
import { chooseDriver, missingControllers } from './driver.js';
import { LinuxIsolation } from './linux-isolation.js';
import { PodCgroups } from './pod-cgroups.js';
import { readLinuxMachine, readMaxPids, readThrottlePaths } from './read-machine.js';
import { podsMayTake, reservedGroups } from './reservations.js';
import { runBusctl, SystemdSlices } from './systemd-slices.js';
import { sysctlRules, type SysctlRules } from './sysctls.js';

export interface OpenIsolationInput {
  readonly runtime: ContainerRuntime;
  readonly config: IsolationConfig;
  readonly rules: ResourceRules;
  readonly rootDirectory: string;
  /** The pods that have not ended. */
  readonly pods: () => readonly Pod[];
  readonly nodeIPs: () => readonly string[];
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** The sysctls that pods may set on this machine. */
export function sysctlRulesOfNode(config: IsolationConfig): SysctlRules {
  return sysctlRules(config.allowedUnsafeSysctls, release());
}

/**
 * Isolation as this machine and the runtime can give it; for runtimes that isolate.
 * @throws EdgeError `edged.cgroups` when the machine has no control groups
 */
export async function openIsolation(input: OpenIsolationInput): Promise<LinuxIsolation> {
  const { runtime, config, rules, rootDirectory, pods, nodeIPs, signal, log } = input;
  const { driver, advice } = chooseDriver(config.cgroupDriver, await runtime.cgroupDriver?.(signal));
  if (advice !== undefined) log.warn(advice);
  const mounts = await readCgroupMounts();
  const files = new CgroupFilesystem({ mounts });
  const missing = missingControllers(files.controllers);
  if (missing !== undefined) log.error(missing);
  if (files.version === 1 && config.failCgroupV1) log.warn('failCgroupV1 is set and this machine has control groups of version 1: pods run all the same');
  const { capacity } = nodeResources(await readMachineResources(rootDirectory), rules);
  const mayTake = podsMayTake(amounts({ ...capacity, pid: String(await readMaxPids()) }), config.reservations);
  const resources = {
    machine: await readLinuxMachine(mounts, whole(mayTake.get('memory'))),
    settings: { ...config.limits, singleProcessOomKill: config.singleProcessOomKill ?? files.version === 1 },
  };
  const tree = driver === 'systemd' ? new SystemdSlices({ files, busctl: runBusctl, log }) : files;
  return new LinuxIsolation({
    rootDirectory,
    driver,
    cgroups: config.cgroupsPerQos
      ? new PodCgroups({
          tree,
          naming: { driver, root: config.cgroupRoot },
          resources,
          podPidsLimit: config.podPidsLimit,
          podsMayTake: mayTake,
          reserved: reservedGroups(config.reservations),
          pods,
          log,
        })
      : undefined,
    resources,
    security: { seccompRoot: join(rootDirectory, 'seccomp'), seccompDefault: config.seccompDefault, throttlePaths: await readThrottlePaths() },
    dns: config.dns,
    nodeIPs,
    handlers: async (asked) => (await runtime.status(asked)).handlers,
    log,
  });
}
