import { readFile } from 'node:fs/promises';

/** Kernel's clock ticks per second in /proc, the same on every architecture in use. */
const TICKS_PER_SECOND = 100;
const NANOSECONDS_PER_TICK = 1e9 / TICKS_PER_SECOND;

/** Traffic of one network interface since it is there. */
export interface InterfaceUse {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** What the whole machine uses. */
export interface MachineUse {
  /** Nanoseconds of processor time since boot, all processors together. */
  readonly cpuNanoseconds: number;
  /** Milliseconds since the epoch. */
  readonly bootedAt: number;
  readonly memory: {
    readonly totalBytes: number;
    readonly usageBytes: number;
    readonly workingSetBytes: number;
    readonly rssBytes: number;
    readonly cacheBytes: number;
    readonly pageFaults: number;
    readonly majorPageFaults: number;
  };
  readonly swap: { readonly totalBytes: number; readonly usedBytes: number };
  readonly interfaces: readonly InterfaceUse[];
  readonly processes: { readonly most: number; readonly now: number };
}

/** Reads the machine's use from /proc. */
export async function readMachineUse(): Promise<MachineUse> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8');
  const [stat, meminfo, vmstat, loadavg, pidMax, network] = await Promise.all([
    read('/proc/stat'),
    read('/proc/meminfo'),
    read('/proc/vmstat'),
    read('/proc/loadavg'),
    read('/proc/sys/kernel/pid_max'),
    read('/proc/net/dev'),
  ]);
  return {
    ...parseStat(stat),
    ...parseMemory(meminfo, vmstat),
    interfaces: parseNetDev(network).filter(({ name }) => !name.startsWith('veth')),
    processes: { most: Number(pidMax), now: Number(/\d+\/(\d+)/.exec(loadavg)?.[1] ?? 0) },
  };
}

/** `/proc/stat`. */
export function parseStat(text: string): Pick<MachineUse, 'cpuNanoseconds' | 'bootedAt'> {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (/^cpu +(.*)$/m.exec(text)?.[1] ?? '').split(' ').map(Number);
  // Idle and waiting for disks are no use; guests are part of user.
  return {
    cpuNanoseconds: (user + nice + system + irq + softirq + steal) * NANOSECONDS_PER_TICK,
    bootedAt: Number(/^btime (\d+)$/m.exec(text)?.[1] ?? 0) * 1000,
  };
}

/** `/proc/meminfo` and `/proc/vmstat`. */
export function parseMemory(meminfo: string, vmstat: string): Pick<MachineUse, 'memory' | 'swap'> {
  const kilobytes = columns(meminfo.replaceAll(':', ''));
  const counters = columns(vmstat);
  const bytes = (name: string): number => (kilobytes.get(name) ?? 0) * 1024;
  const usageBytes = bytes('MemTotal') - bytes('MemFree');
  return {
    memory: {
      totalBytes: bytes('MemTotal'),
      usageBytes,
      workingSetBytes: Math.max(0, usageBytes - bytes('Inactive(file)')),
      rssBytes: bytes('AnonPages'),
      cacheBytes: bytes('Cached') + bytes('Buffers'),
      pageFaults: counters.get('pgfault') ?? 0,
      majorPageFaults: counters.get('pgmajfault') ?? 0,
    },
    swap: { totalBytes: bytes('SwapTotal'), usedBytes: bytes('SwapTotal') - bytes('SwapFree') },
  };
}

/** `/proc/net/dev` without the loopback. */
export function parseNetDev(text: string): InterfaceUse[] {
  const found: InterfaceUse[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*([^:\s]+):(.*)$/.exec(line);
    if (!match || match[1] === 'lo') continue;
    const numbers = (match[2] as string).trim().split(/\s+/).map(Number);
    const at = (index: number): number => numbers[index] ?? 0;
    found.push({
      name: match[1] as string,
      rxBytes: at(0),
      rxPackets: at(1),
      rxErrors: at(2),
      rxDropped: at(3),
      txBytes: at(8),
      txPackets: at(9),
      txErrors: at(10),
      txDropped: at(11),
    });
  }
  return found;
}

/** The interface that stands for all: `eth0`, else the busiest. */
export function mainInterface(interfaces: readonly InterfaceUse[]): InterfaceUse | undefined {
  const traffic = ({ rxBytes, txBytes }: InterfaceUse): number => rxBytes + txBytes;
  return interfaces.find(({ name }) => name === 'eth0') ?? [...interfaces].sort((a, b) => traffic(b) - traffic(a))[0];
}

/** Lines of a name and a number. */
export function columns(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name, value] = line.split(/\s+/);
    if (name && value !== undefined) found.set(name, Number(value));
  }
  return found;
}
