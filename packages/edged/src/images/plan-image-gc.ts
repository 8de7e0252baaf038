import type { RuntimeImage } from '@edge/core';
import { parseImageName } from './image-name.js';

/** When images are collected. */
export interface ImageGcRules {
  /** Fill of the images' filesystem, in percent, at which collecting begins; 100: never. */
  readonly highPercent: number;
  /** Fill down to which is collected. */
  readonly lowPercent: number;
  /** An image that was noticed or used later than so long ago stays. */
  readonly minAgeMs: number;
  /** An image that nobody has used for so long goes whatever the fill; 0: never. */
  readonly maxAgeMs: number;
}

/** What is known of an image over time; milliseconds since the epoch. */
export interface ImageRecord {
  /** 0: it was there when the agent started. */
  readonly noticedAt: number;
  /** 0: not since the agent started. */
  readonly usedAt: number;
}

export interface ImageGcInput {
  readonly rules: ImageGcRules;
  readonly images: readonly RuntimeImage[];
  readonly records: ReadonlyMap<string, ImageRecord>;
  /** Ids of images that must stay, see `keptImages`. */
  readonly kept: ReadonlySet<string>;
  readonly filesystem: { readonly capacityBytes: number; readonly availableBytes: number };
  /** Whether a removed image could be pulled again. */
  readonly connected: boolean;
  readonly startedAt: number;
  readonly now: number;
}

export interface ImageGcPlan {
  /** Images that go in any case. */
  readonly remove: readonly RuntimeImage[];
  /** Images that go one after the other until so many bytes are free, the longest unused first. */
  readonly candidates: readonly RuntimeImage[];
  readonly bytesToFree: number;
}

/** Without a way to the cloud an image is worth more than space, up to this fill: a full disk would stop all pods. */
const CRITICAL_PERCENT = 95;

/** Which images go. Pure. */
export function planImageGc(input: ImageGcInput): ImageGcPlan {
  const { rules, filesystem, connected, records, now } = input;
  const free = unusedImages(input);
  const tooOld = ({ id }: RuntimeImage): boolean => now - Math.max(records.get(id)?.usedAt ?? 0, records.get(id)?.noticedAt ?? 0, input.startedAt) > rules.maxAgeMs;
  const remove = connected && rules.maxAgeMs > 0 ? free.filter(tooOld) : [];
  const gone = new Set(remove.map(({ id }) => id));
  return { remove, candidates: free.filter(({ id }) => !gone.has(id)), bytesToFree: bytesToFree(rules, filesystem, connected) };
}

/** All images that nothing needs and that have been here for a while, the longest unused first. */
export function unusedImages({ images, records, kept, rules, now }: Pick<ImageGcInput, 'images' | 'records' | 'kept' | 'rules' | 'now'>): RuntimeImage[] {
  const last = ({ id }: RuntimeImage): ImageRecord => records.get(id) ?? { noticedAt: now, usedAt: 0 };
  return images
    .filter((image) => !kept.has(image.id) && image.pinned !== true)
    .filter((image) => now - Math.max(last(image).noticedAt, last(image).usedAt) >= rules.minAgeMs)
    .sort((a, b) => last(a).usedAt - last(b).usedAt || last(a).noticedAt - last(b).noticedAt);
}

function bytesToFree(rules: ImageGcRules, { capacityBytes, availableBytes }: ImageGcInput['filesystem'], connected: boolean): number {
  if (capacityBytes <= 0 || rules.highPercent >= 100) return 0;
  const from = connected ? rules.highPercent : Math.max(rules.highPercent, CRITICAL_PERCENT);
  // Offline no more than has to be: down to where it would begin with a connection.
  const to = connected ? rules.lowPercent : Math.min(rules.highPercent, from);
  const usedPercent = 100 - Math.floor((Math.max(0, availableBytes) * 100) / capacityBytes);
  return usedPercent < from ? 0 : Math.max(0, Math.ceil((capacityBytes * (100 - to)) / 100) - availableBytes);
}

/**
 * Ids of images that stay whatever the fill: those of existing containers, those that pods of this node name (they start
 * again after the next power cut, perhaps without a network), and sandbox images.
 * @param inUse, named as containers and pods write them: ids, names, digests
 */
export function keptImages(images: readonly RuntimeImage[], inUse: Iterable<string>, named: Iterable<string>): Set<string> {
  const wanted = new Set([...inUse, ...[...named].flatMap(spellings)]);
  const fits = (image: RuntimeImage): boolean =>
    [image.id, ...image.tags, ...image.digests].some((name) => wanted.has(name)) || image.tags.some(isSandboxImage);
  return new Set(images.filter(fits).map(({ id }) => id));
}

/** As written, and in full: runtimes list `docker.io/library/busybox:latest`. With tag and digest the digest counts. */
function spellings(name: string): string[] {
  try {
    const { asked, repository, tag } = parseImageName(name);
    const digest = asked.split('@')[1];
    return [name, asked, ...(tag === undefined ? [] : [`${repository}:${tag}`]), ...(digest === undefined ? [] : [`${repository}@${digest}`])];
  } catch {
    return [name];
  }
}

/** Older runtimes do not pin it. It is small, and without it no pod starts. */
function isSandboxImage(tag: string): boolean {
  return /(?:^|\/)pause(?:-[a-z0-9]+)?:[^/]*$/.test(tag);
}
