import { createHash } from 'node:crypto';
import type { RuntimeImage } from '@edge/core';

const ID = /^sha256:[0-9a-f]{64}$/;

/** The id that stands for an image name. There are no images; but an id must not change, for statuses show it. */
export function imageId(image: string): string {
  return ID.test(image) ? image : `sha256:${createHash('sha256').update(image).digest('hex')}`;
}

/** The image as the process runtime reports it: always there, always empty. */
export function pseudoImage(image: string): RuntimeImage {
  return { id: imageId(image), tags: ID.test(image) ? [] : [image], digests: [], sizeBytes: 0 };
}
