import { readFile } from 'node:fs/promises';
import type { CgroupUse } from './cgroup-use.js';

/** What this process uses, in the terms of control groups. */
export async function readAgentUse(): Promise<CgroupUse> {
  const { user, system } = process.cpuUsage();
  const [minor, major, rss, inactive] = await readOwnStat();
  const memory = rss ?? process.memoryUsage.rss();
  return {
    cpuNanoseconds: (user + system) * 1000,
    cpuUserNanoseconds: user * 1000,
    cpuSystemNanoseconds: system * 1000,
    memoryUsageBytes: memory,
    memoryWorkingSetBytes: memory,
    memoryRssBytes: inactive ?? memory,
    ...(minor === undefined ? {} : { pageFaults: minor + (major ?? 0) }),
    ...(major === undefined ? {} : { majorPageFaults: major }),
  };
}

/** Minor and major faults, resident memory, and its part that no file backs. */
async function readOwnStat(): Promise<(number | undefined)[]> {
  const [stat, status] = await Promise.all(['/proc/self/stat', '/proc/self/status'].map((path) => readFile(path, 'utf8').catch(() => '')));
  // The name in brackets may hold blanks; what follows it does not.
  const fields = (stat ?? '').slice((stat ?? '').lastIndexOf(')') + 2).split(' ').map(Number);
  const bytes = (name: string): number | undefined => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status ?? '')?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  };
  return [fields[7], fields[9], bytes('VmRSS'), bytes('RssAnon')];
}
