import { readFile, readdir, statfs } from 'node:fs/promises';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import type { MachineResources } from '../plan/node-resources.js';
import type { MachineIdentity } from '../plan/node-status.js';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', loong64: 'loong64', mipsel: 'mipsle', ppc64: 'ppc64le' };

/** Reads who the machine is. What cannot be read is empty: a node without a machine id works as well. */
export async function readMachineIdentity(): Promise<MachineIdentity> {
  const machineID = (await firstText('/etc/machine-id', '/var/lib/dbus/machine-id')) ?? '';
  return {
    machineID,
    // Only root may read it; upstream falls back to the machine id as well.
    systemUUID: (await firstText('/sys/class/dmi/id/product_uuid', '/proc/device-tree/vm,uuid')) ?? machineID,
    bootID: (await firstText('/proc/sys/kernel/random/boot_id')) ?? '',
    kernelVersion: release(),
    osImage: osImage((await firstText('/etc/os-release', '/usr/lib/os-release')) ?? ''),
    architecture: ARCHITECTURES[arch()] ?? arch(),
    operatingSystem: platform(),
  };
}

/** Reads what the machine has; `directory` is on the file system that pods use. */
export async function readMachineResources(directory: string): Promise<MachineResources> {
  const { blocks, bsize } = await statfs(directory, { bigint: true });
  const total = /^MemTotal:\s+(\d+) kB$/m.exec((await firstText('/proc/meminfo')) ?? '')?.[1];
  return {
    // All that are there, not those that this process may use.
    milliCpu: (cpus().length || availableParallelism()) * 1000,
    memory: total === undefined ? BigInt(totalmem()) : BigInt(total) * 1024n,
    storage: blocks * bsize,
    hugePages: await readHugePages(),
  };
}

async function readHugePages(): Promise<Record<string, bigint>> {
  const root = '/sys/kernel/mm/hugepages';
  const found: Record<string, bigint> = {};
  const folders = await readdir(root).catch(() => []);
  for (const folder of folders.sort()) {
    const kilobytes = /^hugepages-(\d+)kB$/.exec(folder)?.[1];
    if (kilobytes === undefined) continue;
    const count = BigInt((await firstText(`${root}/${folder}/nr_hugepages`)) ?? '0');
    found[pageSize(BigInt(kilobytes))] = count * BigInt(kilobytes) * 1024n;
  }
  return found;
}

/** `2Mi`, `1Gi`, `64Ki`. */
function pageSize(kilobytes: bigint): string {
  if (kilobytes % 2n ** 20n === 0n) return `${kilobytes / 2n ** 20n}Gi`;
  return kilobytes % 1024n === 0n ? `${kilobytes / 1024n}Mi` : `${kilobytes}Ki`;
}

/** The name in an os-release file. */
export function osImage(text: string): string {
  const value = /^PRETTY_NAME=(.*)$/m.exec(text)?.[1]?.trim() ?? '';
  return value.replace(/^(['"])(.*)\1$/, '$2');
}

async function firstText(...paths: string[]): Promise<string | undefined> {
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text.trim() !== '') return text.trim();
  }
  return undefined;
}
