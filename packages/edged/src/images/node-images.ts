import type { RuntimeImage } from '@edge/core';

/** An image as the status of a node lists it. */
export interface NodeImage {
  /** Digests first, then tags. */
  names: string[];
  sizeBytes: number;
}

const NAMES = 5;

/**
 * The largest images of the node, as its status lists them.
 * @param max how many; -1 for all
 */
export function nodeImages(images: readonly RuntimeImage[], max: number): NodeImage[] {
  return images
    .map(({ digests, tags, sizeBytes }) => ({ names: [...digests, ...tags].slice(0, NAMES), sizeBytes }))
    .filter(({ names }) => names.length > 0)
    .sort((a, b) => b.sizeBytes - a.sizeBytes || (a.names[0] ?? '').localeCompare(b.names[0] ?? ''))
    .slice(0, max < 0 ? undefined : max);
}
