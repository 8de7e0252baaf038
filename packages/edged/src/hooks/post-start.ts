import { errorText, isAbort } from '@edge/core';
import type { Container, Pod } from '@edge/protocol';
import { CannotStart } from '../errors.js';
import type { PodEvent } from '../plan/event.js';
import { podGrace } from '../plan/grace.js';
import { endContainers, type EndContainersDeps } from './end-containers.js';
import { runHook } from './run-hook.js';

/** So long the reason stays in the status, to be seen at all. */
const TOLD_MS = 1000;

export interface PostStartInput {
  readonly pod: Pod;
  readonly container: Container;
  /** It runs. */
  readonly containerId: string;
  readonly fieldPath: string;
  readonly address: string | undefined;
  readonly say: (event: PodEvent) => void;
}

/**
 * Runs the postStart hook of a container, if it has one. When that fails the container is ended.
 * @param signal aborts also when the pod is to end, which waits for no hook
 * @throws CannotStart `PostStartHookError`; EdgeError `core.aborted`
 */
export async function postStart(deps: EndContainersDeps, input: PostStartInput, signal: AbortSignal): Promise<void> {
  const { pod, container, containerId, fieldPath, address, say } = input;
  const { postStart: handler, preStop } = container.lifecycle ?? {};
  if (!handler) return;
  const { ports } = container;
  try {
    await runHook(deps, handler, { containerId, ports, address }, signal);
  } catch (error) {
    if (isAbort(error)) throw error;
    say({ type: 'Warning', reason: 'FailedPostStartHook', message: `PostStartHook failed: ${(error as Error).message}`, fieldPath });
    const kill = { containerId, name: container.name, fieldPath, graceSeconds: podGrace(pod), why: 'FailedPostStartHook', ...(preStop ? { preStop } : {}), ...(ports ? { ports } : {}) };
    await endContainers(deps, [kill], { address, say, hooked: new Set() }, signal);
    // What follows is the usual back-off after the container's end.
    throw new CannotStart('PostStartHookError', `postStart hook failed: ${errorText(error)}`, { retryAt: Date.now() + TOLD_MS });
  }
}
