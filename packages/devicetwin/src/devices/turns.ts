const DONE: Promise<unknown> = Promise.resolve();

/**
 * What follows a commit, in order per device: the next update is planned while the disk still writes the one before, but its
 * results do not overtake those before it.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /**
   * Runs `then` when `durable` is settled and all turns of that device before are over.
   * @param then gets what `durable` was rejected with, undefined when it went well
   */
  take<T>(deviceId: string, durable: Promise<unknown>, then: (failure: Error | undefined) => Promise<T>): Promise<T> {
    // Looked at from now on: it may fail long before its turn.
    const settled = durable.then(() => undefined, (error: unknown) => (error instanceof Error ? error : new Error(String(error))));
    const before = this.#last.get(deviceId) ?? DONE;
    const turn = before.then(() => settled).then(then);
    const over = turn.then(ignore, ignore).then(() => {
      if (this.#last.get(deviceId) === over) this.#last.delete(deviceId);
    });
    this.#last.set(deviceId, over);
    return turn;
  }
}

function ignore(): void {}
