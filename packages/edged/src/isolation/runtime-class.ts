import type { RuntimeHandler } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { edgedError } from '../errors.js';

/**
 * The kind of sandbox that a pod runs in; undefined for the default. The cloud does not send RuntimeClass objects to
 * nodes, so a class stands for the handler of the same name.
 * @param handlers what the runtime has; undefined when it does not say, then it refuses what it does not know
 * @throws EdgeError `edged.runtime-class`
 */
export function runtimeHandler(pod: Pod, handlers: readonly RuntimeHandler[] | undefined): string | undefined {
  const wanted = pod.spec.runtimeClassName;
  if (wanted === undefined || wanted === '') return undefined;
  if (handlers === undefined || handlers.some(({ name }) => name === wanted)) return wanted;
  const known = handlers.map(({ name }) => name).filter((name) => name !== '');
  throw edgedError(
    'edged.runtime-class',
    `the container runtime has no handler "${wanted}" for runtimeClassName ${wanted}; it has: ${known.join(', ') || 'only its default'}`,
  );
}
