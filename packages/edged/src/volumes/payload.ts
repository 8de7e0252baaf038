import type { ConfigMap, Container, KeyToPath, Pod, Secret, Volume } from '@edge/protocol';
import { edgedError } from '../errors.js';
import { groupMode, type PodOwnership } from './ownership.js';
import { fieldValue, resourceValue, type PodFacts } from '../plan/pod-fields.js';
import { objectKey, type ObjectLookup, type ObjectReference } from '../plan/references.js';

/** One file of a volume. */
export interface PayloadFile {
  readonly data: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
  /** Owner; undefined for the agent's own user. */
  readonly uid?: number;
}

/** Files of a volume by path below it (`ca.crt`, `dir/file`). */
export type Payload = ReadonlyMap<string, PayloadFile>;

export interface PayloadInput {
  readonly pod: Pod;
  readonly volume: Volume;
  readonly objects: ObjectLookup;
  readonly facts: PodFacts;
  /** Tokens for the service account, by the path at which they stand in the volume. */
  readonly tokens?: ReadonlyMap<string, string>;
  /** Who the files are for; absent where this process cannot give files away. */
  readonly owner?: PodOwnership;
}

const DEFAULT_MODE = 0o644;

interface Source extends Pick<PayloadInput, 'pod' | 'facts' | 'objects' | 'owner'> {
  readonly volume: string;
  readonly defaultMode: number;
}

interface DownwardItem {
  path: string;
  mode?: number;
  fieldRef?: { fieldPath: string };
  resourceFieldRef?: { containerName?: string; resource: string; divisor?: string };
}

interface ProjectedSource {
  configMap?: { name?: string; items?: KeyToPath[]; optional?: boolean };
  secret?: { name?: string; items?: KeyToPath[]; optional?: boolean };
  downwardAPI?: { items?: DownwardItem[] };
  serviceAccountToken?: { path: string };
  clusterTrustBundle?: { path: string; name?: string; signerName?: string; optional?: boolean };
}

/**
 * The files of a volume made from objects, or undefined for volumes of other kinds.
 * @throws EdgeError `edged.volume` when an object or key that is not optional is missing, or a path would leave the volume
 */
export function volumePayload(input: PayloadInput): Payload | undefined {
  const { volume } = input;
  const { configMap, secret, downwardAPI, projected } = volume;
  const source = (defaultMode: number | undefined): Source => ({ ...input, volume: volume.name, defaultMode: defaultMode ?? DEFAULT_MODE });
  const files = new Map<string, PayloadFile>();
  if (configMap) {
    addObject(files, { kind: 'configmap', name: configMap.name ?? '' }, configMap, source(configMap.defaultMode));
  } else if (secret) {
    addObject(files, { kind: 'secret', name: secret.secretName ?? '' }, secret, source(secret.defaultMode));
  } else if (downwardAPI) {
    addDownward(files, (downwardAPI.items ?? []) as DownwardItem[], source(downwardAPI.defaultMode));
  } else if (projected) {
    const from = source(projected.defaultMode);
    for (const part of (projected.sources ?? []) as ProjectedSource[]) addProjected(files, part, from, input.tokens);
  } else {
    return undefined;
  }
  if (input.owner?.fsGroup === undefined) return files;
  return new Map([...files].map(([path, file]) => [path, { ...file, mode: groupMode(file.mode, 'file', true) }]));
}

function addProjected(files: Map<string, PayloadFile>, part: ProjectedSource, from: Source, tokens: PayloadInput['tokens']): void {
  if (part.configMap) addObject(files, { kind: 'configmap', name: part.configMap.name ?? '' }, part.configMap, from);
  if (part.secret) addObject(files, { kind: 'secret', name: part.secret.name ?? '' }, part.secret, from);
  if (part.downwardAPI) addDownward(files, part.downwardAPI.items ?? [], from);
  if (part.serviceAccountToken) {
    const token = tokens?.get(part.serviceAccountToken.path);
    if (token === undefined) throw fail(from, `there is no service account token for ${part.serviceAccountToken.path}`);
    // A token is for nobody but its pod, as soon as it is known who that is.
    const { fsGroup, user } = from.owner ?? {};
    const mode = fsGroup === undefined && user === undefined ? from.defaultMode : 0o600;
    add(files, part.serviceAccountToken.path, Buffer.from(token), mode, from, user);
  }
  if (part.clusterTrustBundle && part.clusterTrustBundle.optional !== true) {
    throw fail(from, `the source clusterTrustBundle cannot be provided on this node; say optional: true or use a configMap`);
  }
}

function addObject(files: Map<string, PayloadFile>, reference: ObjectReference, want: { items?: KeyToPath[]; optional?: boolean }, from: Source): void {
  const object = from.objects.get(objectKey(reference));
  if (!object) {
    if (want.optional === true) return;
    throw fail(from, `${reference.kind} "${reference.name}" not found`);
  }
  const data = bytes(reference.kind, object);
  if (!want.items?.length) {
    for (const [key, value] of data) add(files, key, value, from.defaultMode, from);
    return;
  }
  for (const { key, path, mode } of want.items) {
    const value = data.get(key);
    if (value !== undefined) add(files, path, value, mode ?? from.defaultMode, from);
    else if (want.optional !== true) throw fail(from, `${reference.kind} "${reference.name}" has no key "${key}"`);
  }
}

function addDownward(files: Map<string, PayloadFile>, items: readonly DownwardItem[], from: Source): void {
  for (const { path, mode, fieldRef, resourceFieldRef } of items) {
    let text = '';
    if (fieldRef) text = fieldValue(from.pod, fieldRef.fieldPath, from.facts);
    else if (resourceFieldRef) {
      const { resource, divisor, containerName } = resourceFieldRef;
      const container: Container | undefined = [...from.pod.spec.containers, ...(from.pod.spec.initContainers ?? [])].find(({ name }) => name === containerName);
      if (!container) throw fail(from, `${path} is about a container "${containerName}" that the pod does not have`);
      text = resourceValue(container, resource, divisor, from.facts);
    }
    add(files, path, Buffer.from(text), mode ?? from.defaultMode, from);
  }
}

function bytes(kind: ObjectReference['kind'], object: ConfigMap | Secret): Map<string, Uint8Array> {
  const base64 = (value: string): Uint8Array => Buffer.from(value, 'base64');
  if (kind === 'secret') return new Map(Object.entries(object.data ?? {}).map(([key, value]) => [key, base64(value)]));
  const { data = {}, binaryData = {} } = object as ConfigMap;
  return new Map([
    ...Object.entries(data).map(([key, value]): [string, Uint8Array] => [key, Buffer.from(value)]),
    ...Object.entries(binaryData).map(([key, value]): [string, Uint8Array] => [key, base64(value)]),
  ]);
}

function add(files: Map<string, PayloadFile>, path: string, data: Uint8Array, mode: number, from: Source, uid?: number): void {
  const segments = path.split('/');
  // The API server refuses such paths; a hostile cloud must not be able to write outside of the volume.
  const bad = path === '' || path.startsWith('/') || path.startsWith('..') || path.includes('\0') || segments.some((part) => part === '..' || part === '' || part === '.');
  if (bad) throw fail(from, `the path "${path.slice(0, 120)}" is not allowed in a volume`);
  files.set(path, { data, mode: mode & 0o777, ...(uid === undefined ? {} : { uid }) });
}

function fail(from: Pick<Source, 'volume'>, text: string): Error {
  return edgedError('edged.volume', `volume "${from.volume}": ${text}`);
}
