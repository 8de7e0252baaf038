import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import type { Container, Pod } from '@edge/protocol';
import { edgedError } from '../errors.js';
import { isSidecar } from '../plan/containers.js';
import { parseQuantity } from '../plan/quantity.js';

/** How an emptyDir is mounted; undefined for a directory on disk. */
export interface EmptyDirMount {
  readonly type: 'tmpfs' | 'hugetlbfs';
  readonly options: readonly string[];
}

/**
 * What kind of filesystem a medium asks for.
 * @param allocatable memory that pods may use on this node, a quantity
 * @throws EdgeError `edged.volume`
 */
export function emptyDirMount(pod: Pod, name: string, medium: string, sizeLimit: string | undefined, allocatable: string | undefined): EmptyDirMount | undefined {
  if (medium === '') return undefined;
  if (medium === 'Memory') return { type: 'tmpfs', options: tmpfsOptions(pod, sizeLimit, allocatable) };
  if (medium === 'HugePages' || medium.startsWith('HugePages-')) return { type: 'hugetlbfs', options: [`pagesize=${pageSize(pod, name, medium)}`] };
  throw edgedError('edged.volume', `volume "${name}": there is no medium "${medium}"`);
}

/** The smallest of what the volume, the pod and the node allow. Its content counts as memory of the pod. */
export function tmpfsOptions(pod: Pod, sizeLimit: string | undefined, allocatable: string | undefined, kernel: string = release()): string[] {
  const limits = [bytes(sizeLimit), podMemoryLimit(pod), bytes(allocatable)].filter((one) => one !== undefined && one > 0n) as bigint[];
  const size = limits.reduce<bigint | undefined>((least, one) => (least === undefined || one < least ? one : least), undefined);
  return [...(size === undefined ? [] : [`size=${size}`]), ...(canForbidSwap(kernel) ? ['noswap'] : [])];
}

/** Bytes that all containers together may use; undefined when one of them has no limit. */
function podMemoryLimit({ spec }: Pod): bigint | undefined {
  const inits = spec.initContainers ?? [];
  const limits = [...inits, ...spec.containers].map(memoryLimit);
  if (limits.some((limit) => limit === undefined)) return undefined;
  let beside = 0n;
  let most = 0n;
  for (const init of inits) {
    const limit = memoryLimit(init) ?? 0n;
    if (isSidecar(init)) beside += limit;
    const now = isSidecar(init) ? beside : beside + limit;
    if (now > most) most = now;
  }
  const together = spec.containers.reduce((sum, container) => sum + (memoryLimit(container) ?? 0n), beside);
  return together > most ? together : most;
}

function memoryLimit(container: Container): bigint | undefined {
  const limit = bytes(container.resources?.limits?.['memory']);
  return limit === 0n ? undefined : limit;
}

function bytes(quantity: string | undefined): bigint | undefined {
  return quantity === undefined ? undefined : parseQuantity(quantity) / 1000n;
}

/** `noswap` of tmpfs came with Linux 6.4. */
function canForbidSwap(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return major > 6 || (major === 6 && minor >= 4);
}

function pageSize(pod: Pod, name: string, medium: string): string {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const names = containers.flatMap(({ resources }) => Object.keys({ ...resources?.limits, ...resources?.requests }));
  const requested = new Set(names.filter((one) => one.startsWith('hugepages-')).map((one) => one.slice('hugepages-'.length)));
  const chosen = medium === 'HugePages' ? [...requested] : [...requested].filter((size) => size === medium.slice('HugePages-'.length));
  if (chosen.length === 1) return chosen[0] as string;
  const why = chosen.length === 0 ? 'no container requests huge pages of that size' : 'the containers request huge pages of several sizes, so the medium has to name one';
  throw edgedError('edged.volume', `volume "${name}": medium ${medium}, but ${why}`);
}

/** Makes the directory once; later calls leave alone what containers have made of it. Returns true when it was made now. */
export async function makeEmptyDir(path: string, record: string): Promise<boolean> {
  if ((await exists(join(record, 'ready'))) && (await exists(path))) return false;
  await mkdir(path, { recursive: true });
  // Not by the mode of mkdir, which the umask cuts.
  await chmod(path, 0o777);
  return true;
}

/** Says that the directory is complete. */
export async function recordEmptyDir(record: string): Promise<void> {
  await mkdir(record, { recursive: true, mode: 0o750 });
  await writeFile(join(record, 'ready'), '');
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
