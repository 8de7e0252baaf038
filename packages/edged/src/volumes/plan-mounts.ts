import type { Mount } from '@edge/core';
import type { Container, VolumeMount } from '@edge/protocol';
import { CannotStart } from '../errors.js';
import { expand } from '../plan/expand.js';
import type { VolumePlan } from './plan-volumes.js';

/** One mount of a container, before anything on disk was looked at. */
export interface MountPlan {
  readonly volume: VolumePlan;
  /** Place among the container's mounts. */
  readonly index: number;
  readonly containerPath: string;
  /** Below the volume; empty for all of it. */
  readonly subPath: string;
  readonly readOnly: boolean;
  readonly propagation?: NonNullable<Mount['propagation']>;
  readonly recursiveReadOnly: 'no' | 'ifPossible' | 'yes';
}

export interface DevicePlan {
  readonly containerPath: string;
  readonly hostPath: string;
  /** Letters of `rwm`. */
  readonly permissions: string;
}

/**
 * The mounts of a container. A `subPath` has been checked not to leave its volume by name; links are the executor's business.
 * @throws CannotStart `CreateContainerConfigError`
 */
export function planMounts(container: Container, volumes: readonly VolumePlan[], env: ReadonlyMap<string, string>): MountPlan[] {
  return (container.volumeMounts ?? []).map((mount, index) => {
    const volume = findVolume(container, mount.name, volumes);
    if (volume.source.kind === 'device') throw problem(container, `volume "${mount.name}" is a block device and cannot be mounted as files`);
    const readOnly = mount.readOnly === true || volume.readOnly;
    return {
      volume,
      index,
      containerPath: mount.mountPath,
      subPath: subPathOf(container, mount, env),
      readOnly,
      ...propagation(mount.mountPropagation),
      recursiveReadOnly: recursiveReadOnly(container, mount),
    };
  });
}

/** @throws CannotStart `CreateContainerConfigError` */
export function planDevices(container: Container, volumes: readonly VolumePlan[]): DevicePlan[] {
  return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
    const volume = findVolume(container, name, volumes);
    if (volume.source.kind !== 'device') throw problem(container, `volume "${name}" holds files and cannot be given as a block device`);
    return { containerPath: devicePath, hostPath: volume.path, permissions: volume.readOnly ? 'r' : 'mrw' };
  });
}

function findVolume(container: Container, name: string, volumes: readonly VolumePlan[]): VolumePlan {
  const volume = volumes.find((one) => one.name === name);
  if (!volume) throw problem(container, `it mounts volume "${name}", which the pod does not have`);
  return volume;
}

function subPathOf(container: Container, mount: VolumeMount, env: ReadonlyMap<string, string>): string {
  const { name, subPathExpr } = mount;
  const subPath = subPathExpr ? expandAll(container, subPathExpr, env) : (mount.subPath ?? '');
  if (subPath.startsWith('/') || subPath.includes('\0') || subPath.split('/').includes('..')) {
    throw problem(container, `the subPath "${subPath}" would leave volume "${name}"`);
  }
  return subPath
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

/** Unlike in commands, a name without a value is an error here. */
function expandAll(container: Container, text: string, env: ReadonlyMap<string, string>): string {
  const missing: string[] = [];
  const expanded = expand(text, (name) => {
    const value = env.get(name);
    if (value === undefined) missing.push(name);
    return value;
  });
  if (missing.length > 0) throw problem(container, `the subPathExpr "${text}" names ${missing.join(', ')}, which its environment does not have`);
  return expanded;
}

function recursiveReadOnly(container: Container, mount: VolumeMount): MountPlan['recursiveReadOnly'] {
  if (mount.recursiveReadOnly === undefined || mount.recursiveReadOnly === 'Disabled') return 'no';
  const refused = !mount.readOnly ? 'it is not readOnly' : mount.mountPropagation && mount.mountPropagation !== 'None' ? 'it has mount propagation' : undefined;
  if (refused !== undefined) throw problem(container, `the mount ${mount.mountPath} cannot be recursively read-only because ${refused}`);
  return mount.recursiveReadOnly === 'Enabled' ? 'yes' : 'ifPossible';
}

function propagation(wanted: string | undefined): Pick<MountPlan, 'propagation'> {
  if (wanted === 'HostToContainer') return { propagation: 'hostToContainer' };
  if (wanted === 'Bidirectional') return { propagation: 'bidirectional' };
  return {};
}

function problem(container: Container, text: string): CannotStart {
  return new CannotStart('CreateContainerConfigError', `container ${container.name}: ${text}`);
}
