import type { ObjectMeta, Pod, Volume } from '@edge/protocol';
import { readObject } from '../apply/object-reader.js';
import type { MetaClient } from '../apply/meta-client.js';
import { edgedError } from '../errors.js';

export interface PersistentVolumeClaim {
  metadata: ObjectMeta;
  spec?: { volumeName?: string; volumeMode?: string };
  status?: { phase?: string };
}

/** As far as a node uses it. */
export interface PersistentVolume {
  metadata: ObjectMeta;
  spec: {
    accessModes?: string[];
    capacity?: Record<string, string>;
    claimRef?: { namespace?: string; name?: string; uid?: string };
    mountOptions?: string[];
    volumeMode?: 'Filesystem' | 'Block';
    hostPath?: { path: string; type?: string };
    local?: { path: string; fsType?: string };
    nfs?: NfsSource;
    csi?: CsiPersistentSource;
    [source: string]: unknown;
  };
}

export interface NfsSource {
  server: string;
  path: string;
  readOnly?: boolean;
}

export interface CsiPersistentSource {
  driver: string;
  volumeHandle: string;
  readOnly?: boolean;
  fsType?: string;
  volumeAttributes?: Record<string, string>;
  nodeStageSecretRef?: SecretReference;
  nodePublishSecretRef?: SecretReference;
}

export interface SecretReference {
  name?: string;
  namespace?: string;
}

/** Persistent volumes by the name that the pod gives them. */
export type Claimed = ReadonlyMap<string, PersistentVolume>;

/** Finds what is behind the claims of a pod. metamanager asks the cloud, and answers from its store without it. */
export class ClaimReader {
  readonly #meta: MetaClient;

  constructor(deps: { meta: MetaClient }) {
    this.#meta = deps.meta;
  }

  /** @throws EdgeError `edged.volume` when a claim is not bound, `edged.refused`, `edged.bad-answer` */
  async forPod(pod: Pod, signal: AbortSignal): Promise<Claimed> {
    const found = new Map<string, PersistentVolume>();
    for (const volume of pod.spec.volumes ?? []) {
      const claim = claimOf(pod, volume);
      if (claim !== undefined) found.set(volume.name, await this.#volume(pod, volume, claim, signal));
    }
    return found;
  }

  async #volume(pod: Pod, volume: Volume, name: string, signal: AbortSignal): Promise<PersistentVolume> {
    const namespace = pod.metadata.namespace ?? '';
    const fail = (text: string): Error => edgedError('edged.volume', `volume "${volume.name}": ${text}`);
    const claim = await this.#query<PersistentVolumeClaim>(`${namespace}/persistentvolumeclaim/${name}`, signal);
    if (!claim) throw fail(`persistentvolumeclaim "${name}" not found`);
    if (volume['ephemeral'] !== undefined && !claim.metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid)) {
      throw fail(`persistentvolumeclaim "${name}" was not made for this pod`);
    }
    const bound = claim.spec?.volumeName;
    if (!bound || claim.status?.phase !== 'Bound') throw fail(`persistentvolumeclaim "${name}" is not bound to a volume yet`);
    const persistent = await this.#query<PersistentVolume>(`null/persistentvolume/${bound}`, signal);
    if (!persistent) throw fail(`persistentvolume "${bound}" of claim "${name}" not found`);
    if (persistent.spec.claimRef?.uid !== claim.metadata.uid) throw fail(`persistentvolume "${bound}" belongs to another claim than "${name}"`);
    return persistent;
  }

  async #query<T extends { metadata: ObjectMeta }>(resource: string, signal: AbortSignal): Promise<T | undefined> {
    return readObject<T>(resource, await this.#meta.request('query', resource, null, signal));
  }
}

/** Name of the claim behind a volume; generic ephemeral ones are named after pod and volume. */
function claimOf(pod: Pod, volume: Volume): string | undefined {
  if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName;
  return volume['ephemeral'] === undefined ? undefined : `${pod.metadata.name}-${volume.name}`;
}
