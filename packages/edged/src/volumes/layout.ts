import { edgedError } from '../errors.js';

/** Where things of pods are below the root directory. Upstream's places, so that either agent finds what the other made. */

/** Everything below it belongs to that pod. */
export function podDirectory(root: string, uid: string): string {
  return `${root}/pods/${checked(uid)}`;
}

/** @param folder what comes after `kubernetes.io~`: `empty-dir`, `configmap`, `nfs`, … */
export function volumeDirectory(root: string, uid: string, folder: string, name: string): string {
  return `${podDirectory(root, uid)}/volumes/kubernetes.io~${folder}/${checked(name)}`;
}

/** Where the sub path of one mount of a container is bound to. */
export function subPathDirectory(root: string, uid: string, volume: string, container: string, index: number): string {
  return `${podDirectory(root, uid)}/volume-subpaths/${checked(volume)}/${checked(container)}/${index}`;
}

/** Its file `ready` says that an emptyDir was made before: containers may have changed its mode since. */
export function emptyDirRecord(root: string, uid: string, name: string): string {
  return `${podDirectory(root, uid)}/plugins/kubernetes.io~empty-dir/${name}`;
}

/** Kinds whose directories hold nothing that the pod does not own: these may be removed with all that is in them. */
export const OWN_FOLDERS: readonly string[] = ['empty-dir', 'configmap', 'secret', 'projected', 'downward-api'].map((name) => `kubernetes.io~${name}`);

/** The API server refuses others; a hostile cloud must not be able to name a place elsewhere. */
function checked(name: string): string {
  if (/^[\w-][\w.-]*$/.test(name)) return name;
  throw edgedError('edged.volume', `"${name.slice(0, 80)}" cannot be the name of a directory of a pod`);
}
