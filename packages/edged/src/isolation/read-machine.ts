import { readdir, readFile, stat } from 'node:fs/promises';
import type { CgroupMounts } from './cgroup-mounts.js';
import type { LinuxMachine } from './machine.js';

/**
 * Reads what limits depend on.
 * @param allocatableMemoryBytes what pods may take together
 */
export async function readLinuxMachine(mounts: CgroupMounts, allocatableMemoryBytes: bigint): Promise<LinuxMachine> {
  const meminfo = await readFile('/proc/meminfo', 'utf8');
  const kilobytes = (name: string): bigint => BigInt(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? 0) * 1024n;
  return {
    cgroupVersion: mounts.version,
    controllers: new Set(mounts.hierarchies.flatMap(({ controllers }) => controllers)),
    memoryBytes: kilobytes('MemTotal'),
    swapBytes: kilobytes('SwapTotal'),
    swapAccounting: await swapIsAccounted(mounts),
    hugepageSizes: await readHugepageSizes(),
    allocatableMemoryBytes,
  };
}

/** Processes that the machine can have at once. */
export async function readMaxPids(): Promise<bigint> {
  const [pids = 0n, threads = 0n] = await Promise.all(
    ['/proc/sys/kernel/pid_max', '/proc/sys/kernel/threads-max'].map(async (file) => BigInt((await readFile(file, 'utf8')).trim())),
  );
  return pids < threads ? pids : threads;
}

/** Paths of the kernel that tell of the machine's heat and exist here; they are hidden from containers. */
export async function readThrottlePaths(): Promise<string[]> {
  const root = '/sys/devices/system/cpu';
  const cpus = (await readdir(root).catch(() => [])).filter((name) => /^cpu\d+$/.test(name));
  const paths = cpus.map((name) => `${root}/${name}/thermal_throttle`);
  const there = await Promise.all(paths.map(isThere));
  return paths.filter((_, index) => there[index]).sort();
}

async function swapIsAccounted({ version, hierarchies }: CgroupMounts): Promise<boolean> {
  const memory = hierarchies.find(({ controllers }) => controllers.includes('memory'));
  if (!memory) return false;
  if (version === 1) return isThere(`${memory.path}/memory.memsw.limit_in_bytes`);
  // The top group has no such file; that of the agent has.
  const own = /^0::(.*)$/m.exec(await readFile('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  return isThere(`${memory.path}${own}/memory.swap.max`);
}

async function readHugepageSizes(): Promise<bigint[]> {
  const folders = await readdir('/sys/kernel/mm/hugepages').catch(() => []);
  const sizes = folders.map((folder) => /^hugepages-(\d+)kB$/.exec(folder)?.[1]).filter((size) => size !== undefined);
  return sizes.map((size) => BigInt(size) * 1024n).sort((a, b) => (a < b ? -1 : 1));
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
