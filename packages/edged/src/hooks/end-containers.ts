import { isAbort, sleep, type ContainerRuntime } from '@edge/core';
import type { PodEvent } from '../plan/event.js';
import { MINIMUM_GRACE_SECONDS } from '../plan/grace.js';
import type { ContainerKill } from '../plan/steps.js';
import type { Reach } from '../reach/reach.js';
import { runHook } from './run-hook.js';

export interface EndContainersDeps {
  readonly runtime: ContainerRuntime;
  readonly reach: Reach;
}

export interface EndScene {
  /** Address of the pod. */
  readonly address: string | undefined;
  readonly say: (event: PodEvent) => void;
  /** Containers whose preStop hook has been started, of this and earlier tries: it runs once. */
  readonly hooked: Set<string>;
}

/**
 * Ends containers side by side. Each runs its preStop hook, waits for those that have to end before it, and is told to
 * end with what is left of its time; two seconds remain in any case. What the hook does changes nothing about that.
 * @throws what stopping one of them threw, when all were tried; EdgeError `core.aborted`
 */
export async function endContainers(deps: EndContainersDeps, kills: readonly ContainerKill[], scene: EndScene, signal: AbortSignal): Promise<void> {
  const ends = new Map<string, Promise<void>>();
  const results = await Promise.allSettled(
    kills.map((kill) => {
      const end = endContainer(deps, kill, scene, ends, signal);
      ends.set(kill.containerId, end);
      return end;
    }),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function endContainer(deps: EndContainersDeps, kill: ContainerKill, scene: EndScene, ends: ReadonlyMap<string, Promise<void>>, signal: AbortSignal): Promise<void> {
  const { containerId, name, fieldPath, graceSeconds, why } = kill;
  const began = performance.now();
  const left = (): number => graceSeconds - (performance.now() - began) / 1000;
  scene.say({ type: 'Normal', reason: 'Killing', message: `Stopping container ${name}: ${why}`, fieldPath });
  const hook = new AbortController();
  try {
    await within(left(), preStop(deps, kill, scene, hook.signal), signal);
    // The map is complete by now: the others were begun in the same turn.
    await within(left(), Promise.allSettled((kill.after ?? []).map((id) => ends.get(id))), signal);
    await deps.runtime.stopContainer(containerId, Math.max(MINIMUM_GRACE_SECONDS, Math.ceil(left())), signal);
    scene.hooked.delete(containerId);
  } finally {
    hook.abort();
  }
}

async function preStop(deps: EndContainersDeps, kill: ContainerKill, scene: EndScene, signal: AbortSignal): Promise<void> {
  const { containerId, fieldPath, ports } = kill;
  if (!kill.preStop || kill.graceSeconds <= 0 || scene.hooked.has(containerId)) return;
  scene.hooked.add(containerId);
  try {
    await runHook(deps, kill.preStop, { containerId, ports, address: scene.address }, signal);
  } catch (error) {
    // It ends all the same. An aborted hook has had all the time that there was.
    if (!isAbort(error)) scene.say({ type: 'Warning', reason: 'FailedPreStopHook', message: `PreStopHook failed: ${(error as Error).message}`, fieldPath });
  }
}

/** Waits for work that never fails, no longer than that. */
async function within(seconds: number, work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const onAbort = (): void => over.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) over.abort();
  try {
    await Promise.race([work, sleep(Math.max(0, seconds) * 1000, over.signal)]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    over.abort();
  }
}
