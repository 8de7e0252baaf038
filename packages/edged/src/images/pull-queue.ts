import { abortError, withTimeout, type ContainerRuntime, type ImageAuth } from '@edge/core';
import { Semaphore } from '../apply/semaphore.js';
import { isUnreachable } from './pull-error.js';
import { RateLimit } from './rate-limit.js';

export interface PullQueueDeps {
  readonly runtime: ContainerRuntime;
  /** Pulls side by side. */
  readonly places: number;
  readonly perSecond: number;
  readonly burst: number;
}

interface SharedPull {
  readonly result: Promise<PulledImage>;
  readonly controller: AbortController;
  waiting: number;
}

export interface PulledImage {
  /** As `imageStatus` takes it. */
  readonly ref: string;
  /** Without the time in the queue. */
  readonly tookMs: number;
}

/** Pulls images, few at a time and not too often. Who wants the same with the same credentials shares a pull. */
export class PullQueue {
  readonly #runtime: ContainerRuntime;
  readonly #places: Semaphore;
  readonly #rate: RateLimit;
  readonly #running = new Map<string, SharedPull>();

  constructor({ runtime, places, perSecond, burst }: PullQueueDeps) {
    this.#runtime = runtime;
    this.#places = new Semaphore(places);
    this.#rate = new RateLimit({ perSecond, burst });
  }

  /**
   * Tries the credentials one after the other, at last without any. The pull goes on as long as one of those that
   * share it waits for it; what has arrived of an image stays with the runtime for the next try.
   * @throws what the runtime throws; for several tries the first failure, for it is about the best credentials
   */
  async pull(image: string, auths: readonly ImageAuth[], signal: AbortSignal): Promise<PulledImage> {
    const key = JSON.stringify([image, auths]);
    const shared = this.#running.get(key) ?? this.#begin(key, image, auths);
    shared.waiting += 1;
    try {
      return await withTimeout(shared.result, Number.MAX_SAFE_INTEGER, () => abortError(signal), signal);
    } finally {
      shared.waiting -= 1;
      if (shared.waiting === 0) {
        if (this.#running.get(key) === shared) this.#running.delete(key);
        shared.controller.abort();
      }
    }
  }

  #begin(key: string, image: string, auths: readonly ImageAuth[]): SharedPull {
    const controller = new AbortController();
    const { signal } = controller;
    const result = this.#places.run(async () => {
      if (signal.aborted) throw abortError(signal);
      await this.#rate.pass(signal);
      const begun = performance.now();
      const ref = await this.#tryAll(image, auths, signal);
      return { ref, tookMs: performance.now() - begun };
    });
    // When all have gone nobody waits for it; its failure is no news then.
    result.catch(() => undefined);
    const shared: SharedPull = { result, controller, waiting: 0 };
    this.#running.set(key, shared);
    return shared;
  }

  async #tryAll(image: string, auths: readonly ImageAuth[], signal: AbortSignal): Promise<string> {
    let first: unknown;
    for (const auth of [...auths, undefined]) {
      try {
        return await this.#runtime.pullImage(image, auth, signal);
      } catch (error) {
        first ??= error;
        // Other credentials do not mend the network.
        if (signal.aborted || isUnreachable(error)) throw error;
      }
    }
    throw first;
  }
}
