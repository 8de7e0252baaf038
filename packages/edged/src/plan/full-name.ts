import type { Pod } from '@edge/protocol';

/** `<namespace>/<name>`. */
export function fullName({ metadata }: Pick<Pod, 'metadata'>): string {
  return `${metadata.namespace}/${metadata.name}`;
}
