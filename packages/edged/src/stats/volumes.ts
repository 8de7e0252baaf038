import type { Pod } from '@edge/protocol';
import { volumeDirectory } from '../volumes/layout.js';

/** A volume whose use is reported. */
export interface MeasuredVolume {
  readonly name: string;
  readonly path: string;
  /** It takes local storage of the node that nobody else accounts for. */
  readonly ephemeral: boolean;
}

/** Folder below the pod's volumes by the member of the volume that says what it is. */
const FOLDERS = {
  emptyDir: 'empty-dir',
  configMap: 'configmap',
  secret: 'secret',
  projected: 'projected',
  downwardAPI: 'downward-api',
} as const;

/** The volumes of a pod that have a directory of their own; paths of the host belong to the host. */
export function measuredVolumes(root: string, pod: Pod): MeasuredVolume[] {
  return (pod.spec.volumes ?? []).flatMap((volume): MeasuredVolume[] => {
    const { name, emptyDir, configMap } = volume;
    const kind = Object.entries(FOLDERS).find(([member]) => volume[member] !== undefined);
    if (!kind) return [];
    return [{ name, path: volumeDirectory(root, pod.metadata.uid ?? '', kind[1], name), ephemeral: configMap !== undefined || (emptyDir !== undefined && (emptyDir.medium ?? '') === '') }];
  });
}
