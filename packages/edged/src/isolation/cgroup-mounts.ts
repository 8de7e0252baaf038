import { readFile } from 'node:fs/promises';
import { edgedError } from '../errors.js';

/** One mounted tree of control groups. */
export interface CgroupHierarchy {
  readonly path: string;
  /** Controllers of version 1 that live here, also names (`systemd`); for version 2 those of the tree's top. */
  readonly controllers: readonly string[];
}

export interface CgroupMounts {
  readonly version: 1 | 2;
  /** One for version 2, several for version 1. */
  readonly hierarchies: readonly CgroupHierarchy[];
}

const STANDARD_PLACE = '/sys/fs/cgroup';

/**
 * Finds the control groups of this machine. A machine with both versions counts as version 1, because the controllers are there.
 * @throws EdgeError `edged.cgroups` when there are none
 */
export async function readCgroupMounts(): Promise<CgroupMounts> {
  const mounts = cgroupMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  const [only] = mounts.hierarchies;
  if (!only) throw edgedError('edged.cgroups', `no control groups are mounted: mount cgroup2 at ${STANDARD_PLACE}`);
  if (mounts.version === 1) return mounts;
  const controllers = (await readFile(`${only.path}/cgroup.controllers`, 'utf8')).trim().split(' ');
  return { version: 2, hierarchies: [{ ...only, controllers }] };
}

/** Reads the text of `/proc/self/mountinfo`. Of several mounts of one tree the one with the shortest path counts. */
export function cgroupMounts(mountinfo: string): CgroupMounts {
  const rows = mountinfo
    .split('\n')
    .map((line) => /^\S+ \S+ \S+ \S+ (\S+) .*? - (\S+) \S+ (\S*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, path = '', type = '', options = '']) => ({ path, type, options: options.split(',') }));
  if (rows.some(({ path, type }) => path === STANDARD_PLACE && type === 'cgroup2')) {
    return { version: 2, hierarchies: [{ path: STANDARD_PLACE, controllers: [] }] };
  }
  const trees = new Map<string, CgroupHierarchy>();
  for (const { path, type, options } of rows) {
    if (type !== 'cgroup') continue;
    const controllers = options.filter((option) => CONTROLLERS.has(option) || option.startsWith('name=')).map((option) => option.replace('name=', ''));
    const key = controllers.join(',');
    const known = trees.get(key);
    if (controllers.length > 0 && (!known || path.length < known.path.length)) trees.set(key, { path, controllers });
  }
  return { version: 1, hierarchies: [...trees.values()] };
}

/** Words of version 1 among the mount options. */
const CONTROLLERS: ReadonlySet<string> = new Set([
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'devices',
  'freezer',
  'blkio',
  'pids',
  'hugetlb',
  'net_cls',
  'net_prio',
  'perf_event',
  'rdma',
  'misc',
]);
