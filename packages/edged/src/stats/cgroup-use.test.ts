import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCgroupUse } from './cgroup-use.js';
import { podKey, PodGroups } from './pod-groups.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cgroups-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function files(content: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(content)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

describe('control groups', () => {
  it('[edged-30.10] reads a group of version 2', async () => {
    await files({
      'pod/cpu.stat': 'usage_usec 1000\nuser_usec 600\nsystem_usec 400\nnr_periods 10\nnr_throttled 2\nthrottled_usec 30\n',
      'pod/cpu.max': '50000 100000\n',
      'pod/memory.current': '9000\n',
      'pod/memory.max': 'max\n',
      'pod/memory.peak': '9500\n',
      'pod/memory.stat': 'anon 4000\nfile 3000\nfile_mapped 200\ninactive_file 1000\npgfault 50\npgmajfault 1\n',
      'pod/memory.events': 'low 0\noom 2\noom_kill 1\n',
      'pod/pids.current': '3\n',
      'pod/io.stat': '8:0 rbytes=100 wbytes=200 rios=1 wios=2 dbytes=0\n8:16 rbytes=10 wbytes=20 rios=3 wios=4\n',
    });
    expect(readCgroupUse(root, 2, 'pod')).toEqual({
      cpuNanoseconds: 1_000_000,
      cpuUserNanoseconds: 600_000,
      cpuSystemNanoseconds: 400_000,
      periods: 10,
      throttledPeriods: 2,
      throttledNanoseconds: 30_000,
      cpuQuota: 50_000,
      cpuPeriod: 100_000,
      memoryUsageBytes: 9000,
      memoryWorkingSetBytes: 8000,
      memoryRssBytes: 4000,
      memoryCacheBytes: 3000,
      memoryMappedFileBytes: 200,
      memoryMostBytes: 9500,
      pageFaults: 50,
      majorPageFaults: 1,
      oomKills: 1,
      processes: 3,
      readBytes: 110,
      writtenBytes: 220,
      reads: 4,
      writes: 6,
    });
  });

  it('[edged-30.11] reads a group of version 1, where numbers without meaning stand for no limit', async () => {
    await files({
      'cpuacct/pod/cpuacct.usage': '5000\n',
      'cpu/pod/cpu.cfs_quota_us': '-1\n',
      'cpu/pod/cpu.cfs_period_us': '100000\n',
      'memory/pod/memory.usage_in_bytes': '1000\n',
      'memory/pod/memory.limit_in_bytes': '9223372036854771712\n',
      'memory/pod/memory.stat': 'rss 1\ntotal_rss 600\ntotal_inactive_file 300\ntotal_pgfault 7\n',
      'pids/pod/pids.current': '2\n',
      'blkio/pod/blkio.throttle.io_service_bytes': '8:0 Read 10\n8:0 Write 20\n8:0 Total 30\n8:16 Read 1\nTotal 31\n',
    });
    expect(readCgroupUse(root, 1, 'pod')).toEqual({
      cpuNanoseconds: 5000,
      memoryUsageBytes: 1000,
      memoryWorkingSetBytes: 700,
      memoryRssBytes: 600,
      pageFaults: 7,
      processes: 2,
      readBytes: 11,
      writtenBytes: 20,
    });
  });

  it('[edged-30.12] a group that is gone uses nothing that could be told', () => {
    expect(readCgroupUse(root, 1, 'gone')).toEqual({});
    expect(readCgroupUse(root, 2, 'gone')).toEqual({});
  });

  it('[edged-30.13] finds the groups of pods by either driver, whichever agent made them', async () => {
    const id = 'a1'.repeat(32);
    const uid = '929230be-6dac-4243-b2ee-5c4c0c165df3';
    const slice = `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${podKey(uid)}.slice`;
    await files({
      'cgroup.controllers': 'cpu memory',
      [`kubepods/besteffort/poduid-web/${id}/cgroup.procs`]: '12\n13\n',
      'kubepods/podguaranteed/cgroup.procs': '',
      'kubepods/besteffort/other/cgroup.procs': '',
      [`${slice}/cri-containerd-${id}.scope/cgroup.procs`]: '',
      [`${slice}/crio-conmon-${id}.scope/cgroup.procs`]: '',
      'kubepods.slice/kubepods-podg.slice/cgroup.procs': '',
    });
    const groups = new PodGroups({ root, cgroupRoot: '' });
    const found = await groups.list();
    expect([...found.keys()].sort()).toEqual([podKey(uid), 'g', 'guaranteed', podKey('uid-web')].sort());
    expect(found.get(podKey(uid))).toEqual({ path: `/${slice}`, containers: new Map([[id, `/${slice}/cri-containerd-${id}.scope`]]) });
    expect(await groups.processes(`/kubepods/besteffort/poduid-web/${id}`)).toEqual([12, 13]);
  });
});
