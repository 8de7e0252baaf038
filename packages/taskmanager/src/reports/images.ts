import { encodeJson, type ImageStatus, type TaskImageStatus } from '@edge/protocol';

/** How one image came out; without a reason it is there. */
export interface PulledImage {
  readonly image: string;
  readonly reason?: string;
}

/** `extend` of a v1alpha2 report. */
export function imageStatuses(images: readonly PulledImage[]): string {
  return encodeJson(images.map(({ image, reason }): ImageStatus => (reason === undefined ? { image, status: 'True' } : { image, status: 'False', reason })));
}

/** `ExternalMessage` of a v1alpha1 report. */
export function taskImageStatuses(images: readonly PulledImage[]): string {
  return encodeJson(images.map(({ image, reason }): TaskImageStatus => (reason === undefined ? { image, state: 'Successful' } : { image, state: 'Failed', reason })));
}
