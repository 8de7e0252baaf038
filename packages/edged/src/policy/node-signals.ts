import { readFile, stat, statfs } from 'node:fs/promises';
import type { ContainerRuntime } from '@edge/core';
import type { Observation, Observations } from './plan-eviction.js';
import type { EvictionSignal } from './thresholds.js';

export interface NodeSignalsDeps {
  readonly rootDirectory: string;
  readonly runtime: Pick<ContainerRuntime, 'imageFilesystems'>;
  /** Bytes that all pods together may take; undefined when nothing is set aside for pods. */
  readonly podMemory: () => bigint | undefined;
  /** Control group of all pods below the mount point of its kind, `/kubepods`. */
  readonly podsGroup: string;
}

/** Reads what is left on the machine. Cheap enough for every ten seconds: a handful of small files. */
export class NodeSignals {
  readonly #deps: NodeSignalsDeps;

  constructor(deps: NodeSignalsDeps) {
    this.#deps = deps;
  }

  /** Numbers that the machine does not give are left out. */
  async observe(signal: AbortSignal): Promise<Observations> {
    const { rootDirectory } = this.#deps;
    const imageDirectory = await this.#imageDirectory(signal);
    const parts = await Promise.all([
      memory(),
      this.#podsMemory(),
      filesystem('nodefs', rootDirectory),
      filesystem('imagefs', imageDirectory ?? rootDirectory),
      processes(),
    ]);
    return new Map(parts.flat());
  }

  /** True when images and containers do not lie where the pods' files lie. */
  async hasOwnImageDisk(signal: AbortSignal): Promise<boolean> {
    const directory = await this.#imageDirectory(signal);
    if (directory === undefined) return false;
    const [images, root] = await Promise.all([stat(directory), stat(this.#deps.rootDirectory)]);
    return images.dev !== root.dev;
  }

  async #imageDirectory(signal: AbortSignal): Promise<string | undefined> {
    const found = await this.#deps.runtime.imageFilesystems?.(signal);
    return found?.[0]?.mountpoint;
  }

  async #podsMemory(): Promise<[EvictionSignal, Observation][]> {
    const capacity = this.#deps.podMemory();
    const used = capacity === undefined ? undefined : await workingSet(this.#deps.podsGroup);
    if (capacity === undefined || used === undefined) return [];
    return [['allocatableMemory.available', { available: capacity > used ? capacity - used : 0n, capacity }]];
  }
}

/** Free memory and file pages that nobody has asked for lately: what is there without taking anything from anybody. */
async function memory(): Promise<[EvictionSignal, Observation][]> {
  const text = await readText('/proc/meminfo');
  const [capacity, free, inactive] = ['MemTotal', 'MemFree', 'Inactive\\(file\\)'].map((key) => kilobytes(text, key));
  if (capacity === undefined || free === undefined) return [];
  return [['memory.available', { available: free + (inactive ?? 0n), capacity }]];
}

function kilobytes(text: string, key: string): bigint | undefined {
  const found = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return found === undefined ? undefined : BigInt(found) * 1024n;
}

/** Of a control group of version 2 or 1. */
async function workingSet(group: string): Promise<bigint | undefined> {
  for (const [directory, usage, inactive] of [
    [`/sys/fs/cgroup${group}`, 'memory.current', 'inactive_file'],
    [`/sys/fs/cgroup/memory${group}`, 'memory.usage_in_bytes', 'total_inactive_file'],
  ] as const) {
    const used = (await readText(`${directory}/${usage}`)).trim();
    if (!/^\d+$/.test(used)) continue;
    const idle = new RegExp(`^${inactive} (\\d+)$`, 'm').exec(await readText(`${directory}/memory.stat`))?.[1] ?? '0';
    const left = BigInt(used) - BigInt(idle);
    return left < 0n ? 0n : left;
  }
  return undefined;
}

async function filesystem(name: 'nodefs' | 'imagefs', directory: string): Promise<[EvictionSignal, Observation][]> {
  const { bavail, blocks, bsize, files, ffree } = await statfs(directory, { bigint: true });
  const bytes: [EvictionSignal, Observation] = [`${name}.available`, { available: bavail * bsize, capacity: blocks * bsize }];
  // Some file systems make inodes as they need them and count none.
  return files === 0n ? [bytes] : [bytes, [`${name}.inodesFree`, { available: ffree, capacity: files }]];
}

async function processes(): Promise<[EvictionSignal, Observation][]> {
  const [load, ...limits] = await Promise.all(['/proc/loadavg', '/proc/sys/kernel/pid_max', '/proc/sys/kernel/threads-max'].map(readText));
  const running = /^\S+ \S+ \S+ \d+\/(\d+)/.exec(load ?? '')?.[1];
  const most = limits.filter((text) => /^\d+\s*$/.test(text)).map((text) => BigInt(text.trim()));
  const capacity = most.reduce<bigint | undefined>((least, one) => (least === undefined || one < least ? one : least), undefined);
  if (running === undefined || capacity === undefined) return [];
  return [['pid.available', { available: capacity - BigInt(running), capacity }]];
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
