import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, isAbort } from '@edge/core';
import type { ObjectMeta, Pod, Secret } from '@edge/protocol';
import type { MetaClient } from '../../apply/meta-client.js';
import { readObject, type ObjectReader } from '../../apply/object-reader.js';
import { edgedError } from '../../errors.js';
import type { SecretReference } from '../claims.js';
import { podDirectory } from '../layout.js';
import { isMountPoint, readMountTable } from '../mount-table.js';
import type { CsiVolume } from '../plan-volumes.js';
import type { CsiDriver, CsiDrivers } from './drivers.js';
import { ACCESS_MODES, EMPTY, NODE_PUBLISH, NODE_STAGE, NODE_UNPUBLISH, NODE_UNSTAGE, SINGLE_NODE_MULTI_WRITER, STAGE_UNSTAGE_VOLUME, VOLUME_MOUNT_GROUP } from './messages.js';
import type { Fields } from './wire.js';

export interface CsiVolumesDeps {
  readonly drivers: CsiDrivers;
  readonly meta: MetaClient;
  readonly objects: ObjectReader;
  readonly nodeName: string;
}

export interface PublishInput {
  readonly root: string;
  readonly pod: Pod;
  readonly csi: CsiVolume;
  /** Where the driver has to mount it. */
  readonly target: string;
  readonly readOnly: boolean;
  readonly fsGroup: number | undefined;
}

/** Upstream's file beside a mounted volume: enough to take it down without the pod. */
interface VolumeData {
  readonly driverName: string;
  readonly volumeHandle: string;
  readonly volumeLifecycleMode?: string;
}

const DATA_FILE = 'vol_data.json';

/** Volumes of CSI drivers: has them staged once on the node and published for each pod, and takes both back. */
export class CsiVolumes {
  readonly #deps: CsiVolumesDeps;
  /** Work in hand by driver and handle: the last pod that leaves must not unstage what the next one has just staged. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(deps: CsiVolumesDeps) {
    this.#deps = deps;
  }

  /**
   * Mounts a volume for a pod. Returns true when the driver has given its files to the group of the pod.
   * @throws EdgeError `edged.csi`, `edged.volume`
   */
  publish(input: PublishInput, signal: AbortSignal): Promise<boolean> {
    const handle = input.csi.ephemeral ? `csi-${sha256(`${input.pod.metadata.uid}${input.csi.name}`)}` : input.csi.handle;
    return this.#inTurn(input.csi.driver, handle, () => this.#publish(input, handle, signal));
  }

  /**
   * Takes down what drivers have mounted for a pod.
   * @throws EdgeError `edged.csi` when a driver cannot do it now
   */
  async takeDown(root: string, uid: string, signal: AbortSignal): Promise<void> {
    const folder = join(podDirectory(root, uid), 'volumes/kubernetes.io~csi');
    for (const name of await entries(folder)) {
      const at = join(folder, name);
      const data = await readData(at);
      if (data) await this.#inTurn(data.driverName, data.volumeHandle, () => this.#takeDown(root, at, data, signal));
    }
  }

  async #publish({ root, pod, csi, target, readOnly, fsGroup }: PublishInput, handle: string, signal: AbortSignal): Promise<boolean> {
    const driver = await this.#deps.drivers.find(csi.driver, signal);
    const can = await driver.capabilities('Node', signal);
    const delegated = can.has(VOLUME_MOUNT_GROUP) && fsGroup !== undefined;
    if (isMountPoint(await readMountTable(), target)) return delegated;
    const publish_context = csi.ephemeral ? {} : await this.#attached(csi.driver, handle, signal);
    const mount = { fs_type: csi.fsType, mount_flags: csi.mountOptions, ...(delegated ? { volume_mount_group: String(fsGroup) } : {}) };
    const volume_capability = { mount, access_mode: { mode: accessMode(csi, can.has(SINGLE_NODE_MULTI_WRITER)) } };
    const common = { volume_id: handle, publish_context, volume_capability };
    const namespace = pod.metadata.namespace ?? '';
    let staging = '';
    if (!csi.ephemeral && can.has(STAGE_UNSTAGE_VOLUME)) {
      staging = stagingPath(root, csi.driver, handle);
      await writeData(dirname(staging), { driverName: csi.driver, volumeHandle: handle });
      await mkdir(staging, { recursive: true });
      const secrets = await this.#secrets(csi.stageSecret, namespace, signal);
      await driver.call('Node', 'NodeStageVolume', NODE_STAGE, EMPTY, { ...common, staging_target_path: staging, secrets, volume_context: csi.attributes }, signal);
    }
    await writeData(dirname(target), {
      specVolID: csi.name,
      volumeHandle: handle,
      driverName: csi.driver,
      nodeName: this.#deps.nodeName,
      volumeLifecycleMode: csi.ephemeral ? 'Ephemeral' : 'Persistent',
      attachmentID: attachmentName(handle, csi.driver, this.#deps.nodeName),
    });
    const request: Fields = {
      ...common,
      staging_target_path: staging,
      target_path: target,
      readonly: readOnly,
      secrets: await this.#secrets(csi.publishSecret, namespace, signal),
      volume_context: { ...csi.attributes, ...(csi.ephemeral ? podInfo(pod) : {}) },
    };
    await driver.call('Node', 'NodePublishVolume', NODE_PUBLISH, EMPTY, request, signal);
    return delegated;
  }

  async #takeDown(root: string, at: string, { driverName, volumeHandle, volumeLifecycleMode }: VolumeData, signal: AbortSignal): Promise<void> {
    const target = join(at, 'mount');
    const driver = await this.#driverFor(driverName, target, signal);
    if (driver) await driver.call('Node', 'NodeUnpublishVolume', NODE_UNPUBLISH, EMPTY, { volume_id: volumeHandle, target_path: target }, signal);
    if (isMountPoint(await readMountTable(), target)) throw edgedError('edged.csi', `driver ${driverName} says that ${target} is unpublished, but it is still mounted`);
    await rmdir(target).catch(unlessGone);
    // From here on the volume counts as left by this pod.
    await rm(join(at, DATA_FILE), { force: true });
    await rmdir(at).catch(unlessGone);
    if (driver && volumeLifecycleMode !== 'Ephemeral' && !(await isUsed(root, driverName, volumeHandle))) await this.#unstage(root, driver, volumeHandle, signal);
  }

  /** A driver that was taken away can do nothing more; it has to come back only for what is still mounted. */
  async #driverFor(name: string, target: string, signal: AbortSignal): Promise<CsiDriver | undefined> {
    try {
      return await this.#deps.drivers.find(name, signal);
    } catch (error) {
      if (isAbort(error) || isMountPoint(await readMountTable(), target)) throw error;
      return undefined;
    }
  }

  async #unstage(root: string, driver: CsiDriver, handle: string, signal: AbortSignal): Promise<void> {
    const staging = stagingPath(root, driver.name, handle);
    if (!(await readData(dirname(staging)))) return;
    await driver.call('Node', 'NodeUnstageVolume', NODE_UNSTAGE, EMPTY, { volume_id: handle, staging_target_path: staging }, signal);
    if (isMountPoint(await readMountTable(), staging)) throw edgedError('edged.csi', `driver ${driver.name} says that ${staging} is unstaged, but it is still mounted`);
    await rmdir(staging).catch(unlessGone);
    await rm(join(dirname(staging), DATA_FILE), { force: true });
    await rmdir(dirname(staging)).catch(unlessGone);
  }

  /**
   * What attaching has told about the device. Without an attachment the driver needs none, as far as this node can know;
   * one that was made is in the store, also without the cloud.
   */
  async #attached(driver: string, handle: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const resource = `default/volumeattachment/${attachmentName(handle, driver, this.#deps.nodeName)}`;
    const content = await this.#deps.meta.request('query', resource, null, signal).catch((error: unknown) => {
      if (isAbort(error)) throw error;
      return [];
    });
    const attachment = readObject<Attachment>(resource, content);
    if (attachment && attachment.status?.attached !== true) throw edgedError('edged.csi', `volume ${handle} of driver ${driver} is not attached to this node yet`);
    return attachment?.status?.attachmentMetadata ?? {};
  }

  async #secrets(reference: SecretReference | undefined, podNamespace: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const { name, namespace = podNamespace } = reference ?? {};
    if (name === undefined) return {};
    const found = (await this.#deps.objects.fetch(namespace, [{ kind: 'secret', name }], signal)).get(`secret/${name}`) as Secret | undefined;
    if (!found) throw edgedError('edged.csi', `secret "${name}" for a CSI driver not found`);
    return Object.fromEntries(Object.entries(found.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
  }

  async #inTurn<T>(driver: string, handle: string, work: () => Promise<T>): Promise<T> {
    const key = `${driver}^${handle}`;
    const mine = (this.#busy.get(key) ?? Promise.resolve()).then(work, work);
    this.#busy.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#busy.get(key) === mine) this.#busy.delete(key);
    }
  }
}

interface Attachment {
  metadata: ObjectMeta;
  status?: { attached?: boolean; attachmentMetadata?: Record<string, string> };
}

/** The first mode of the volume, as upstream; inline volumes have one writer. */
function accessMode({ accessModes }: CsiVolume, finer: boolean): number {
  const [first = 'ReadWriteOnce'] = accessModes;
  const modes: Readonly<Record<string, (typeof ACCESS_MODES)[number]>> = {
    ReadWriteOnce: finer ? 'SINGLE_NODE_MULTI_WRITER' : 'SINGLE_NODE_WRITER',
    ReadWriteOncePod: finer ? 'SINGLE_NODE_SINGLE_WRITER' : 'SINGLE_NODE_WRITER',
    ReadOnlyMany: 'MULTI_NODE_READER_ONLY',
    ReadWriteMany: 'MULTI_NODE_MULTI_WRITER',
  };
  return ACCESS_MODES.indexOf(modes[first] ?? 'UNKNOWN');
}

/** For volumes that live with the pod; drivers know these names. */
function podInfo({ metadata, spec }: Pod): Record<string, string> {
  const prefix = 'csi.storage.k8s.io';
  return {
    [`${prefix}/pod.name`]: metadata.name ?? '',
    [`${prefix}/pod.namespace`]: metadata.namespace ?? '',
    [`${prefix}/pod.uid`]: metadata.uid ?? '',
    [`${prefix}/serviceAccount.name`]: spec.serviceAccountName ?? '',
    [`${prefix}/ephemeral`]: 'true',
  };
}

function stagingPath(root: string, driver: string, handle: string): string {
  if (!/^[\w][\w.-]*$/.test(driver)) throw edgedError('edged.volume', `"${driver.slice(0, 80)}" cannot be the name of a CSI driver`);
  return `${root}/plugins/kubernetes.io/csi/${driver}/${sha256(handle)}/globalmount`;
}

export function attachmentName(handle: string, driver: string, node: string): string {
  return `csi-${sha256(`${handle}${driver}${node}`)}`;
}

/** Whether any pod of the node has the volume. */
async function isUsed(root: string, driver: string, handle: string): Promise<boolean> {
  for (const uid of await entries(`${root}/pods`)) {
    const folder = `${root}/pods/${uid}/volumes/kubernetes.io~csi`;
    for (const name of await entries(folder)) {
      const data = await readData(join(folder, name));
      if (data?.driverName === driver && data.volumeHandle === handle) return true;
    }
  }
  return false;
}

async function writeData(folder: string, data: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o750 });
  await writeFile(join(folder, DATA_FILE), JSON.stringify(data));
}

async function readData(folder: string): Promise<VolumeData | undefined> {
  const text = await readFile(join(folder, DATA_FILE), 'utf8').catch(unlessGone);
  return text === undefined ? undefined : (JSON.parse(text) as VolumeData);
}

async function entries(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(unlessGone)) ?? [];
}

function unlessGone(error: unknown): undefined {
  if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
  throw error;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
