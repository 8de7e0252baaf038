import { readFile, statfs } from 'node:fs/promises';
import { cpus, freemem, totalmem } from 'node:os';
import { sleep } from '@edge/core';
import { LIMIT_PERCENT, type LoadMeter } from './check-items.js';

/** Upstream's sample, and the one that decides when that was too high: a moment is no load. */
const SAMPLE_MS = 100;
const SECOND_SAMPLE_MS = 1000;

/** Measures this machine. */
export class NodeMeter implements LoadMeter {
  async cpu(signal: AbortSignal): Promise<number> {
    const first = await sample(SAMPLE_MS, signal);
    return first <= LIMIT_PERCENT ? first : sample(SECOND_SAMPLE_MS, signal);
  }

  memory(): Promise<number> {
    return Promise.resolve((1 - freemem() / totalmem()) * 100);
  }

  rootDisk(): Promise<number> {
    return diskPercent('/');
  }

  async disks(): Promise<{ path: string; percent: number }[]> {
    const paths = diskMounts(await readFile('/proc/self/mounts', 'utf8'));
    return Promise.all(paths.map(async (path) => ({ path, percent: await diskPercent(path) })));
  }
}

/** As `df` counts: what only root may still take counts as neither used nor free. */
async function diskPercent(path: string): Promise<number> {
  const { blocks, bfree, bavail } = await statfs(path);
  const used = blocks - bfree;
  return used === 0 ? 0 : (used / (used + bavail)) * 100;
}

/** Images of a fixed size: they are always full. */
const FULL_BY_NATURE = new Set(['squashfs', 'iso9660', 'udf', 'erofs', 'cramfs']);

/**
 * Where the disks are mounted, each disk once.
 * @param mounts text of `/proc/self/mounts`
 */
export function diskMounts(mounts: string): string[] {
  const found = new Map<string, string>();
  for (const line of mounts.split('\n')) {
    const [device = '', path = '', type = ''] = line.split(' ');
    if (!device.startsWith('/dev/') || FULL_BY_NATURE.has(type) || found.has(device)) continue;
    found.set(device, path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8))));
  }
  return [...found.values()];
}

async function sample(milliseconds: number, signal: AbortSignal): Promise<number> {
  const before = times();
  await sleep(milliseconds, signal);
  const after = times();
  const total = after.total - before.total;
  return total <= 0 ? 0 : (1 - (after.idle - before.idle) / total) * 100;
}

function times(): { idle: number; total: number } {
  let [idle, total] = [0, 0];
  for (const { times: one } of cpus()) {
    idle += one.idle;
    total += one.user + one.nice + one.sys + one.idle + one.irq;
  }
  return { idle, total };
}
