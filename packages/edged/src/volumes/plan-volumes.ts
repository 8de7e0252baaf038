import type { Mount } from '@edge/core';
import type { Container, Pod, Volume } from '@edge/protocol';
import { edgedError } from '../errors.js';
import { expand } from '../plan/expand.js';

/** What is behind a volume. */
export interface VolumePlan {
  readonly name: string;
  /** `payload`: files from objects, kept up to date. */
  readonly kind: 'emptyDir' | 'hostPath' | 'payload';
  /** Absolute path that containers mount. */
  readonly path: string;
  /** What a host path has to be (`Directory`, `FileOrCreate`, …); empty for no check. */
  readonly hostPathType: string;
}

const TYPE_FOLDERS = [
  ['configMap', 'configmap'],
  ['secret', 'secret'],
  ['projected', 'projected'],
  ['downwardAPI', 'downward-api'],
] as const;

/** Everything below `<root>/pods/<uid>` belongs to that pod. */
export function podDirectory(root: string, uid: string): string {
  return `${root}/pods/${uid}`;
}

/**
 * Where each volume of the pod is.
 * @throws EdgeError `edged.volume` for a kind that this version cannot provide
 */
export function planVolumes(root: string, pod: Pod): VolumePlan[] {
  return (pod.spec.volumes ?? []).map((volume) => planVolume(root, pod.metadata.uid ?? '', volume));
}

function planVolume(root: string, uid: string, volume: Volume): VolumePlan {
  const { name, hostPath } = volume;
  const below = (folder: string): string => `${podDirectory(root, uid)}/volumes/kubernetes.io~${folder}/${name}`;
  if (volume.emptyDir) return { name, kind: 'emptyDir', path: below('empty-dir'), hostPathType: '' };
  if (hostPath) return { name, kind: 'hostPath', path: hostPath.path, hostPathType: hostPath.type ?? '' };
  const type = TYPE_FOLDERS.find(([member]) => volume[member] !== undefined);
  if (type) return { name, kind: 'payload', path: below(type[1]), hostPathType: '' };
  const members = Object.keys(volume).filter((member) => member !== 'name');
  throw edgedError('edged.volume', `volume "${name}": this version cannot provide volumes of kind ${members.join(', ') || '(none)'}`);
}

/**
 * The mounts of a container. A `subPath` has been checked not to leave its volume by name; links are the executor's business.
 * @throws EdgeError `edged.container-config`
 */
export function containerMounts(container: Container, volumes: readonly VolumePlan[], env: ReadonlyMap<string, string>): Mount[] {
  return (container.volumeMounts ?? []).map((mount) => {
    const volume = volumes.find(({ name }) => name === mount.name);
    if (!volume) throw edgedError('edged.container-config', `container ${container.name} mounts volume "${mount.name}", which the pod does not have`);
    const subPath = mount.subPathExpr ? expand(mount.subPathExpr, (name) => env.get(name)) : (mount.subPath ?? '');
    if (subPath.startsWith('/') || subPath.split('/').includes('..')) {
      throw edgedError('edged.container-config', `container ${container.name}: the subPath "${subPath}" would leave volume "${mount.name}"`);
    }
    return {
      containerPath: mount.mountPath,
      hostPath: subPath === '' ? volume.path : `${volume.path}/${subPath}`,
      ...(mount.readOnly ? { readOnly: true } : {}),
      ...propagation(mount.mountPropagation),
    };
  });
}

function propagation(wanted: string | undefined): Pick<Mount, 'propagation'> {
  if (wanted === 'HostToContainer') return { propagation: 'hostToContainer' };
  if (wanted === 'Bidirectional') return { propagation: 'bidirectional' };
  return {};
}
