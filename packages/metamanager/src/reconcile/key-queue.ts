import { abortError } from '@edge/core';

/** Keys that wait for a worker, each at most once. */
export class KeyQueue {
  readonly #keys = new Set<string>();
  readonly #idle: (() => void)[] = [];

  get size(): number {
    return this.#keys.size;
  }

  add(key: string): void {
    this.#keys.add(key);
    this.#idle.shift()?.();
  }

  clear(): void {
    this.#keys.clear();
  }

  /** The oldest key; waits while there is none. Rejects with `core.aborted`. */
  async take(signal: AbortSignal): Promise<string> {
    for (;;) {
      if (signal.aborted) throw abortError(signal);
      const [key] = this.#keys;
      if (key !== undefined) {
        this.#keys.delete(key);
        return key;
      }
      await this.#wait(signal);
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#idle.splice(this.#idle.indexOf(wake), 1);
        resolve();
      };
      this.#idle.push(wake);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
