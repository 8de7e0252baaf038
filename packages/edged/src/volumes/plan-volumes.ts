import type { Pod, Volume } from '@edge/protocol';
import { edgedError } from '../errors.js';
import type { Claimed, CsiPersistentSource, NfsSource, PersistentVolume, SecretReference } from './claims.js';
import { volumeDirectory } from './layout.js';

/** What a volume of a pod is, and where. */
export interface VolumePlan {
  readonly name: string;
  /** Absolute path that containers mount; for a block device the device. */
  readonly path: string;
  /** Containers cannot write to it, whatever they ask for. */
  readonly readOnly: boolean;
  /** Files get the group `fsGroup` of the pod. */
  readonly grouped: boolean;
  readonly source: VolumeSource;
}

export type VolumeSource =
  | { readonly kind: 'emptyDir'; readonly medium: string; readonly sizeLimit?: string }
  /** Files from objects, kept up to date. */
  | { readonly kind: 'payload'; readonly inMemory: boolean }
  /** `type`: what it has to be (`Directory`, `FileOrCreate`, …); empty for no check. */
  | { readonly kind: 'hostPath'; readonly type: string }
  | { readonly kind: 'local'; readonly from: string }
  | { readonly kind: 'nfs'; readonly from: string; readonly options: readonly string[] }
  | { readonly kind: 'csi'; readonly csi: CsiVolume }
  | { readonly kind: 'device' };

/** A volume of a CSI driver. */
export interface CsiVolume {
  /** Name of the directory: of the persistent volume, or of the pod's volume when it lives and dies with the pod. */
  readonly name: string;
  readonly driver: string;
  readonly handle: string;
  readonly ephemeral: boolean;
  readonly fsType: string;
  readonly mountOptions: readonly string[];
  readonly accessModes: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly stageSecret?: SecretReference;
  readonly publishSecret?: SecretReference;
}

const PAYLOADS = [
  ['configMap', 'configmap', false],
  ['secret', 'secret', true],
  ['projected', 'projected', true],
  ['downwardAPI', 'downward-api', true],
] as const;

/** Whether the files of a volume come from objects and follow them. */
export function isPayload(volume: Volume): boolean {
  return PAYLOADS.some(([member]) => volume[member] !== undefined);
}

/**
 * What each volume of the pod is and where.
 * @param claimed what is behind the pod's claims
 * @throws EdgeError `edged.volume` for a kind that this version cannot provide
 */
export function planVolumes(root: string, pod: Pod, claimed: Claimed = new Map()): VolumePlan[] {
  return (pod.spec.volumes ?? []).map((volume) => planVolume(root, pod, volume, claimed));
}

function planVolume(root: string, pod: Pod, volume: Volume, claimed: Claimed): VolumePlan {
  const { name, emptyDir, hostPath, persistentVolumeClaim } = volume;
  const uid = pod.metadata.uid ?? '';
  const persistent = claimed.get(name);
  if (persistent) return planPersistent(root, uid, name, persistent, persistentVolumeClaim?.readOnly === true);
  const members = Object.keys(volume).filter((member) => member !== 'name');
  if (emptyDir || members.length === 0) {
    const { medium = '', sizeLimit } = emptyDir ?? {};
    const source: VolumeSource = { kind: 'emptyDir', medium, ...(sizeLimit === undefined ? {} : { sizeLimit }) };
    return { name, path: volumeDirectory(root, uid, 'empty-dir', name), readOnly: false, grouped: true, source };
  }
  if (hostPath) return { name, path: hostPath.path, readOnly: false, grouped: false, source: { kind: 'hostPath', type: hostPath.type ?? '' } };
  const payload = PAYLOADS.find(([member]) => volume[member] !== undefined);
  if (payload) {
    const [, folder, inMemory] = payload;
    return { name, path: volumeDirectory(root, uid, folder, name), readOnly: true, grouped: true, source: { kind: 'payload', inMemory } };
  }
  if (volume['nfs'] !== undefined) return planNfs(root, uid, name, name, volume['nfs'] as NfsSource, []);
  if (volume['csi'] !== undefined) return planInlineCsi(root, uid, name, volume['csi'] as InlineCsi);
  throw edgedError('edged.volume', `volume "${name}": this version cannot provide volumes of kind ${members.join(', ')}`);
}

function planPersistent(root: string, uid: string, name: string, { metadata, spec }: PersistentVolume, readOnly: boolean): VolumePlan {
  const { hostPath, local, nfs, csi, mountOptions = [] } = spec;
  const own = metadata.name ?? '';
  const at = local?.path ?? hostPath?.path;
  if (spec.volumeMode === 'Block') {
    if (at === undefined) throw edgedError('edged.volume', `volume "${name}": block devices are provided from local and hostPath volumes only`);
    return { name, path: at, readOnly, grouped: false, source: { kind: 'device' } };
  }
  if (hostPath) return { name, path: hostPath.path, readOnly, grouped: false, source: { kind: 'hostPath', type: hostPath.type ?? '' } };
  if (local) return { name, path: volumeDirectory(root, uid, 'local-volume', own), readOnly, grouped: !readOnly, source: { kind: 'local', from: local.path } };
  if (nfs) return planNfs(root, uid, name, own, { ...nfs, readOnly: nfs.readOnly === true || readOnly }, mountOptions);
  if (csi) return planCsi(root, uid, name, csiVolume(own, csi, spec), csi.readOnly === true || readOnly);
  const kinds = Object.keys(spec).filter((member) => !COMMON.has(member));
  throw edgedError('edged.volume', `volume "${name}": this version cannot provide persistent volumes of kind ${kinds.join(', ') || '(none)'}`);
}

/** Members of a persistent volume's spec that do not name its kind. */
const COMMON = new Set(['accessModes', 'capacity', 'claimRef', 'mountOptions', 'nodeAffinity', 'persistentVolumeReclaimPolicy', 'storageClassName', 'volumeMode', 'volumeAttributesClassName']);

function planNfs(root: string, uid: string, name: string, own: string, { server, path, readOnly = false }: NfsSource, options: readonly string[]): VolumePlan {
  // An IPv6 address would look like a path otherwise.
  const host = server.includes(':') && !server.startsWith('[') ? `[${server}]` : server;
  const source: VolumeSource = { kind: 'nfs', from: `${host}:${path}`, options: [...options, ...(readOnly ? ['ro'] : [])] };
  return { name, path: volumeDirectory(root, uid, 'nfs', own), readOnly, grouped: false, source };
}

interface InlineCsi {
  driver: string;
  readOnly?: boolean;
  fsType?: string;
  volumeAttributes?: Record<string, string>;
  nodePublishSecretRef?: { name: string };
}

function planInlineCsi(root: string, uid: string, name: string, inline: InlineCsi): VolumePlan {
  const { driver, fsType = '', volumeAttributes = {}, nodePublishSecretRef, readOnly = false } = inline;
  const csi: CsiVolume = {
    name,
    driver,
    handle: '',
    ephemeral: true,
    fsType,
    mountOptions: [],
    accessModes: ['ReadWriteOnce'],
    attributes: volumeAttributes,
    ...(nodePublishSecretRef ? { publishSecret: nodePublishSecretRef } : {}),
  };
  return planCsi(root, uid, name, csi, readOnly);
}

function csiVolume(name: string, csi: CsiPersistentSource, { mountOptions = [], accessModes = [] }: PersistentVolume['spec']): CsiVolume {
  const { driver, volumeHandle, fsType = '', volumeAttributes = {}, nodeStageSecretRef, nodePublishSecretRef } = csi;
  return {
    name,
    driver,
    handle: volumeHandle,
    ephemeral: false,
    fsType,
    mountOptions,
    accessModes,
    attributes: volumeAttributes,
    ...(nodeStageSecretRef ? { stageSecret: nodeStageSecretRef } : {}),
    ...(nodePublishSecretRef ? { publishSecret: nodePublishSecretRef } : {}),
  };
}

function planCsi(root: string, uid: string, name: string, csi: CsiVolume, readOnly: boolean): VolumePlan {
  // Upstream's rule without a CSIDriver object: one writer at a time and a filesystem of the node's own making.
  const grouped = !readOnly && csi.fsType !== '' && csi.accessModes.some((mode) => mode === 'ReadWriteOnce' || mode === 'ReadWriteOncePod');
  return { name, path: `${volumeDirectory(root, uid, 'csi', csi.name)}/mount`, readOnly, grouped, source: { kind: 'csi', csi } };
}
