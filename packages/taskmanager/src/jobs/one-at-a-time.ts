import { abortError } from '@edge/core';

/** One after the other, in the order in which they came. */
export class OneAtATime {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when it is the caller's turn, with what ends it. @throws EdgeError `core.aborted` */
  async turn(signal: AbortSignal): Promise<Disposable> {
    const before = this.#last;
    let end = (): void => undefined;
    this.#last = new Promise((resolve) => (end = resolve));
    await before;
    if (signal.aborted) {
      end();
      throw abortError(signal);
    }
    return { [Symbol.dispose]: end };
  }
}
