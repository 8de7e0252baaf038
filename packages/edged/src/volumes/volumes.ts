import { chmod, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Stats } from 'node:fs';
import { errorCode, errorText, type Logger } from '@edge/core';
import type { Pod, Volume } from '@edge/protocol';
import { edgedError } from '../errors.js';
import { volumePayload } from './payload.js';
import type { PodFacts } from '../plan/pod-fields.js';
import { volumeReferences } from '../plan/references.js';
import { planVolumes, podDirectory, type VolumePlan } from './plan-volumes.js';
import { writePayload } from './atomic-writer.js';
import type { ObjectReader } from '../apply/object-reader.js';
import type { TokenReader } from './token-reader.js';

/** Makes and refreshes the directories that containers mount. */
export class Volumes {
  readonly #root: string;
  readonly #objects: ObjectReader;
  readonly #tokens: TokenReader;
  readonly #log: Logger;
  /** Work in hand by pod: two writers of one volume would get in each other's way. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(deps: { root: string; objects: ObjectReader; tokens: TokenReader; log: Logger }) {
    this.#root = deps.root;
    this.#objects = deps.objects;
    this.#tokens = deps.tokens;
    this.#log = deps.log;
  }

  /**
   * Brings all volumes of a pod up to date; calling again changes only what is different.
   * @throws EdgeError `edged.volume`, `edged.refused`
   */
  prepare(pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<readonly VolumePlan[]> {
    return this.#inTurn(pod.metadata.uid ?? '', () => this.#prepare(pod, facts, signal));
  }

  /** Removes all that the agent keeps on disk for a pod that is over. */
  async remove(uid: string): Promise<void> {
    if (!/^[\w.-]+$/.test(uid) || uid.startsWith('.')) return;
    await this.#inTurn(uid, () => rm(podDirectory(this.#root, uid), { recursive: true, force: true }));
  }

  async #inTurn<T>(uid: string, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(uid) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#busy.set(uid, mine);
    try {
      return await mine;
    } finally {
      if (this.#busy.get(uid) === mine) this.#busy.delete(uid);
    }
  }

  async #prepare(pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<readonly VolumePlan[]> {
    const plans = planVolumes(this.#root, pod);
    for (const plan of plans) {
      const volume = (pod.spec.volumes ?? []).find(({ name }) => name === plan.name) as Volume;
      if (plan.kind === 'emptyDir') await makeOpenDirectory(plan.path);
      else if (plan.kind === 'hostPath') await prepareHostPath(plan);
      else await this.#write(plan, volume, pod, facts, signal);
    }
    return plans;
  }

  async #write(plan: VolumePlan, volume: Volume, pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<void> {
    const objects = await this.#objects.fetch(pod.metadata.namespace ?? '', volumeReferences(volume), signal);
    const tokens = await this.#tokens.forVolume(pod, volume, signal);
    const payload = volumePayload({ pod, volume, objects, facts, tokens });
    if (payload === undefined) return;
    try {
      if (await writePayload(plan.path, payload)) {
        this.#log.verbose(2, 'volume written', { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, volume: volume.name, files: payload.size });
      }
    } catch (cause) {
      throw edgedError('edged.volume', `volume "${volume.name}" cannot be written to ${plan.path}: ${errorText(cause)}`, cause);
    }
  }
}

async function makeOpenDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o777);
}

const CHECKS: Readonly<Record<string, (found: Stats) => boolean>> = {
  Directory: (found) => found.isDirectory(),
  DirectoryOrCreate: (found) => found.isDirectory(),
  File: (found) => found.isFile(),
  FileOrCreate: (found) => found.isFile(),
  Socket: (found) => found.isSocket(),
  CharDevice: (found) => found.isCharacterDevice(),
  BlockDevice: (found) => found.isBlockDevice(),
};

async function prepareHostPath({ name, path, hostPathType }: VolumePlan): Promise<void> {
  if (hostPathType === '') return;
  const check = CHECKS[hostPathType];
  if (!check) throw edgedError('edged.volume', `volume "${name}": there is no host path type "${hostPathType}"`);
  let found = await look(path);
  if (!found && hostPathType === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 });
  if (!found && hostPathType === 'FileOrCreate') {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '', { flag: 'a', mode: 0o644 });
  }
  found ??= await look(path);
  if (!found) throw edgedError('edged.volume', `volume "${name}": ${path} does not exist and has to be of type ${hostPathType}`);
  if (!check(found)) throw edgedError('edged.volume', `volume "${name}": ${path} is not of type ${hostPathType}`);
}

async function look(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

