import { describe, expect, it } from 'vitest';
import { checkItem, type LoadMeter } from './check-items.js';
import { diskMounts, NodeMeter } from './node-meter.js';

const { signal } = new AbortController();

function meter(percent: number, others: Partial<LoadMeter> = {}): LoadMeter {
  const same = (): Promise<number> => Promise.resolve(percent);
  return { cpu: same, memory: same, rootDisk: same, disks: async () => [{ path: '/', percent: 10 }, { path: '/data', percent }], ...others };
}

describe('check items', () => {
  it.each([
    ['cpu', 80, undefined],
    ['cpu', 80.01, 'processors: 80.01 % in use'],
    ['mem', 0, undefined],
    ['mem', 99.5, 'memory: 99.50 % in use'],
    ['disk', 80, undefined],
    ['disk', 81, 'the disk of /: 81.00 % in use'],
    ['gpu', 0, 'check item "gpu" is not known; known are "cpu", "mem" and "disk"'],
    ['', 0, 'check item "" is not known'],
  ] as const)('[taskmanager-2.1] %s at %d %%: %s', async (item, percent, problem) => {
    const found = await checkItem(item, meter(percent), 'root', signal);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(problem);
  });

  it('[taskmanager-2.2] with all disks the first full one is named; what cannot be measured fails', async () => {
    expect(await checkItem('disk', meter(90), 'all', signal)).toContain('the disk of /data: 90.00 %');
    const broken = meter(0, { memory: () => Promise.reject(new Error('no /proc here')) });
    expect(await checkItem('mem', broken, 'root', signal)).toBe('mem cannot be measured: no /proc here');
  });

  it('[taskmanager-2.3] disks are what is mounted from a device, once each, without images that are full by nature', () => {
    const mounts = [
      'proc /proc proc rw 0 0',
      '/dev/sda1 / ext4 rw 0 0',
      '/dev/sda1 /var/lib/kubelet ext4 rw 0 0',
      '/dev/sdb /mnt/my\\040disk xfs rw 0 0',
      '/dev/loop3 /snap/core squashfs ro 0 0',
      'tmpfs /run tmpfs rw 0 0',
      '',
    ];
    expect(diskMounts(mounts.join('\n'))).toEqual(['/', '/mnt/my disk']);
  });

  it('[taskmanager-2.4] this machine is measured in percent', async () => {
    const here = new NodeMeter();
    const disks = await here.disks();
    for (const percent of [await here.cpu(signal), await here.memory(), await here.rootDisk(), ...disks.map((disk) => disk.percent)]) {
      expect(percent).toBeGreaterThanOrEqual(0);
      expect(percent).toBeLessThanOrEqual(100);
    }
  });
});
