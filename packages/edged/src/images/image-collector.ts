import { statfs } from 'node:fs/promises';
import { errorText, isAbort, sleep, type ContainerRuntime, type Logger, type RuntimeImage } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { keptImages, planImageGc, unusedImages, type ImageGcRules, type ImageRecord } from './plan-image-gc.js';

const INTERVAL_MS = 300_000;

export interface ImageCollectorDeps {
  readonly runtime: ContainerRuntime;
  readonly rules: ImageGcRules;
  /** Image of sandboxes as configured. */
  readonly sandboxImage: string;
  /** All pods of the node, also those that have ended; undefined while it is not known which there are. */
  readonly pods: () => readonly Pod[] | undefined;
  readonly connected: () => boolean;
  readonly log: Logger;
  /** Bytes of the filesystem that a directory is on; asked of the system unless given. */
  readonly filesystem?: (path: string) => Promise<{ capacityBytes: number; availableBytes: number }>;
}

interface Seen {
  readonly images: readonly RuntimeImage[];
  readonly kept: ReadonlySet<string>;
}

/** Removes images that nothing needs when the disk fills up. */
export class ImageCollector {
  readonly #deps: ImageCollectorDeps;
  readonly #startedAt = Date.now();
  #records: ReadonlyMap<string, ImageRecord> | undefined;

  constructor(deps: ImageCollectorDeps) {
    this.#deps = deps;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    // A runtime that has no filesystem for images has no images.
    if (!this.#deps.runtime.imageFilesystems) return;
    while (!signal.aborted) {
      await sleep(INTERVAL_MS, signal);
      await this.collect(signal).catch((error: unknown) => {
        if (!isAbort(error)) this.#deps.log.warn('images cannot be collected now', { err: errorText(error) });
      });
    }
  }

  /** Looks once, and removes what the rules want to go. */
  async collect(signal: AbortSignal): Promise<void> {
    const { runtime, rules, log, connected, filesystem = filesystemOf } = this.#deps;
    const mountpoint = (await runtime.imageFilesystems?.(signal))?.[0]?.mountpoint;
    if (mountpoint === undefined) return;
    const seen = await this.#look(signal);
    if (!seen) return;
    const plan = planImageGc({
      rules,
      ...seen,
      records: this.#records ?? new Map(),
      filesystem: await filesystem(mountpoint),
      connected: connected(),
      startedAt: this.#startedAt,
      now: Date.now(),
    });
    await this.#remove(plan.remove, Number.POSITIVE_INFINITY, signal);
    if (plan.bytesToFree === 0) return;
    const freed = await this.#remove(plan.candidates, plan.bytesToFree, signal);
    if (freed < plan.bytesToFree) {
      log.warn('the disk of images is fuller than wanted, and no other image can go', { mountpoint, wanted: plan.bytesToFree, freed });
    }
  }

  /**
   * Removes every image that nothing needs, for others that are short of disk space.
   * @returns bytes freed
   */
  async removeUnused(signal: AbortSignal): Promise<number> {
    const seen = await this.#look(signal);
    if (!seen) return 0;
    const unused = unusedImages({ ...seen, rules: this.#deps.rules, records: this.#records ?? new Map(), now: Date.now() });
    return this.#remove(unused, Number.POSITIVE_INFINITY, signal);
  }

  async #look(signal: AbortSignal): Promise<Seen | undefined> {
    const { runtime, sandboxImage } = this.#deps;
    const pods = this.#deps.pods();
    if (!pods) return undefined;
    const [images, containers] = await Promise.all([runtime.listImages(signal), runtime.listContainers(undefined, signal)]);
    const inUse = containers.flatMap(({ image, imageRef }) => [image, imageRef]);
    const used = keptImages(images, inUse, []);
    const named = pods.flatMap(({ spec }) => [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])].map(({ image = '' }) => image));
    const now = Date.now();
    const before = this.#records;
    this.#records = new Map(
      images.map(({ id }) => {
        const { noticedAt, usedAt } = before?.get(id) ?? { noticedAt: before ? now : 0, usedAt: 0 };
        return [id, { noticedAt, usedAt: used.has(id) ? now : usedAt }];
      }),
    );
    return { images, kept: keptImages(images, inUse, [...named, sandboxImage]) };
  }

  async #remove(images: readonly RuntimeImage[], bytes: number, signal: AbortSignal): Promise<number> {
    let freed = 0;
    for (const { id, tags, sizeBytes } of images) {
      if (freed >= bytes) break;
      try {
        await this.#deps.runtime.removeImage(id, signal);
        freed += sizeBytes;
        this.#deps.log.info('image removed, nothing needs it', { image: tags[0] ?? id, bytes: sizeBytes });
      } catch (error) {
        if (isAbort(error)) throw error;
        this.#deps.log.warn('image cannot be removed', { image: tags[0] ?? id, err: errorText(error) });
      }
    }
    return freed;
  }
}

async function filesystemOf(path: string): Promise<{ capacityBytes: number; availableBytes: number }> {
  const { blocks, bsize, bavail } = await statfs(path);
  return { capacityBytes: blocks * bsize, availableBytes: bavail * bsize };
}
