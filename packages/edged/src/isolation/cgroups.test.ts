import { describe, expect, it } from 'vitest';
import type { Container } from '@edge/protocol';
import { somePod } from '../../test/plan-kit.js';
import { cgroupMounts } from './cgroup-mounts.js';
import { cgroupPath, parentsOfPods, podCgroup, podOfCgroup, podsCgroup, possiblePodCgroups, type CgroupNaming } from './cgroup-paths.js';
import { chooseDriver, driverMismatch, missingControllers } from './driver.js';
import { changeSlice, slicesOnTheWay, startSlice } from './slice-properties.js';

const UID = '12ab-34cd';
const cgroupfs: CgroupNaming = { driver: 'cgroupfs', root: '' };
const systemd: CgroupNaming = { driver: 'systemd', root: '' };
const withResources = (resources: Container['resources'] = {}): ReturnType<typeof somePod> => somePod({ containers: [{ name: 'c', resources }] }, {}, { uid: UID });
const burstable = withResources({ requests: { cpu: '1' } });
const guaranteed = withResources({ limits: { cpu: '1', memory: '1Mi' } });

describe('names of control groups', () => {
  it('[edged-26.20] are those of upstream, so that either agent finds the groups of the other', () => {
    expect([guaranteed, burstable, withResources()].map((pod) => podCgroup(cgroupfs, pod))).toEqual([
      '/kubepods/pod12ab-34cd',
      '/kubepods/burstable/pod12ab-34cd',
      '/kubepods/besteffort/pod12ab-34cd',
    ]);
    expect([guaranteed, burstable, withResources()].map((pod) => podCgroup(systemd, pod))).toEqual([
      '/kubepods.slice/kubepods-pod12ab_34cd.slice',
      '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12ab_34cd.slice',
      '/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod12ab_34cd.slice',
    ]);
  });

  it('[edged-26.21] begin at the configured root', () => {
    expect(podsCgroup({ driver: 'cgroupfs', root: '/a/b' })).toBe('/a/b/kubepods');
    expect(podsCgroup({ driver: 'systemd', root: '/my-edge' })).toBe('/my_edge.slice/my_edge-kubepods.slice');
    expect(cgroupPath({ driver: 'cgroupfs', root: '/' }, [])).toBe('/');
  });

  it('[edged-26.22] lead back to the pod', () => {
    expect(podOfCgroup(cgroupfs, `pod${UID}`)).toBe(UID);
    expect(podOfCgroup(systemd, 'kubepods-burstable-pod12ab_34cd.slice')).toBe(UID);
    expect(podOfCgroup(systemd, 'kubepods-pod12ab_34cd.slice')).toBe(UID);
    for (const other of ['burstable', 'pod', 'x.scope', 'kubepods-burstable.slice']) {
      expect(podOfCgroup(cgroupfs, other)).toBeUndefined();
      expect(podOfCgroup(systemd, other)).toBeUndefined();
    }
    expect(possiblePodCgroups(cgroupfs, UID)).toContain(podCgroup(cgroupfs, burstable));
    expect(parentsOfPods(cgroupfs)).toEqual(['/kubepods', '/kubepods/burstable', '/kubepods/besteffort']);
  });
});

describe('cgroupMounts', () => {
  const line = (path: string, type: string, options: string): string => `25 20 0:22 / ${path} rw,nosuid shared:9 - ${type} cgroup rw,${options}`;

  it('[edged-26.23] knows version 2, version 1 and both together, which counts as 1', () => {
    expect(cgroupMounts(line('/sys/fs/cgroup', 'cgroup2', 'nsdelegate'))).toEqual({ version: 2, hierarchies: [{ path: '/sys/fs/cgroup', controllers: [] }] });
    const hybrid = [
      line('/sys/fs/cgroup/unified', 'cgroup2', 'nsdelegate'),
      line('/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'cpu,cpuacct'),
      line('/sys/fs/cgroup/systemd', 'cgroup', 'xattr,name=systemd'),
      line('/run/elsewhere/for/long/memory', 'cgroup', 'memory'),
      line('/sys/fs/cgroup/memory', 'cgroup', 'memory'),
      line('/var', 'ext4', 'cpu'),
    ].join('\n');
    expect(cgroupMounts(hybrid)).toEqual({
      version: 1,
      hierarchies: [
        { path: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct'] },
        { path: '/sys/fs/cgroup/systemd', controllers: ['systemd'] },
        { path: '/sys/fs/cgroup/memory', controllers: ['memory'] },
      ],
    });
  });
});

describe('the driver', () => {
  it('[edged-26.24] is what the runtime says; a configuration that differs is named with the fix', () => {
    expect(chooseDriver('cgroupfs', undefined)).toEqual({ driver: 'cgroupfs' });
    expect(chooseDriver('systemd', 'systemd')).toEqual({ driver: 'systemd' });
    const { driver, advice } = chooseDriver('cgroupfs', 'systemd');
    expect(driver).toBe('systemd');
    expect(advice).toContain('set modules.edged.tailoredKubeletConfig.cgroupDriver to systemd');
  });

  it('[edged-26.25] is recognised as the cause when the runtime cannot read the name of a group', () => {
    const failure = 'runc create failed: expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/kubepods/x" instead';
    expect(driverMismatch(failure, 'cgroupfs')).toContain('cgroupDriver to systemd');
    expect(driverMismatch('no space left', 'cgroupfs')).toBeUndefined();
  });

  it('[edged-26.26] runs pods without the memory controller and names the kernel flag', () => {
    expect(missingControllers(new Set(['cpu', 'cpuset', 'memory', 'pids', 'hugetlb']))).toBeUndefined();
    expect(missingControllers(new Set(['cpu', 'cpuset', 'pids']))).toMatch(/memory.*cgroup_enable=memory/);
    expect(missingControllers(new Set(['cpu', 'cpuset', 'memory']))).not.toContain('cgroup_enable');
  });
});

describe('slices', () => {
  const path = '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podx.slice';

  it('[edged-26.27] are started from the top, each with its limits and its parent', () => {
    expect(slicesOnTheWay(path)).toEqual(['/kubepods.slice', '/kubepods.slice/kubepods-burstable.slice', path]);
    const args = startSlice(path, 2, { cpuShares: 1024, cpuQuota: 50_000, cpuPeriod: 100_000, memoryBytes: 5n, pids: 7n });
    const text = args.join(' ');
    expect(text).toContain('StartTransientUnit ssa(sv)a(sa(sv)) kubepods-burstable-podx.slice replace 11 Description s');
    expect(text).toContain('Wants as 1 kubepods-burstable.slice DefaultDependencies b false');
    expect(text).toContain('CPUWeight t 39 CPUQuotaPeriodUSec t 100000 CPUQuotaPerSecUSec t 500000 MemoryMax t 5 TasksMax t 7 0');
  });

  it('[edged-26.28] are changed when they are there, in the words of the version', () => {
    expect(changeSlice(path, 1, { cpuShares: 100, memoryBytes: 5n, cpuQuota: 0 })?.slice(4)).toEqual(
      ['SetUnitProperties', 'sba(sv)', 'kubepods-burstable-podx.slice', 'true', '3', 'CPUShares', 't', '100'].concat(
        ['CPUQuotaPerSecUSec', 't', '18446744073709551615', 'MemoryLimit', 't', '5'],
      ),
    );
    expect(changeSlice(path, 2, {})).toBeUndefined();
  });
});
