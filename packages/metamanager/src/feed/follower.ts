import { errorCode, errorText, type Logger, type MessageBus } from '@edge/core';
import { createMessage, Modules, Operations } from '@edge/protocol';
import type { FeedItem, ShownObjects } from './shown-objects.js';

/** Content of the answer to `get stored/objects` and of each `update stored/objects` that follows it. */
export interface FeedContent {
  /** Another one means that the feed began anew: ask again. */
  readonly epoch: string;
  /** Counts the messages to this follower in the epoch; what has a number up to that of the answer is in the answer already. */
  readonly sequence: number;
  readonly items: readonly FeedItem[];
}

/** Objects in one message. */
const BATCH = 256;

/**
 * What one module is told of the objects. A message carries the state at the time of its making, so that a slow follower gets
 * fewer messages and never an older state after a newer one.
 */
export class FeedFollower {
  readonly #module: string;
  readonly #epoch: string;
  readonly #shown: ShownObjects;
  readonly #bus: MessageBus;
  readonly #log: Logger;
  readonly #changed = new Set<string>();
  #prefixes: readonly string[] = [];
  #sequence = 0;
  #isFollowing = false;
  #sending: Promise<void> | undefined;

  constructor(deps: { module: string; epoch: string; shown: ShownObjects; bus: MessageBus; log: Logger }) {
    this.#module = deps.module;
    this.#epoch = deps.epoch;
    this.#shown = deps.shown;
    this.#bus = deps.bus;
    this.#log = deps.log;
  }

  /**
   * Everything there is; changes are told from here on.
   * @param prefixes only objects whose keys begin with one of these count; none: all count
   */
  follow(prefixes: readonly string[]): FeedContent {
    this.#isFollowing = true;
    this.#prefixes = prefixes;
    return { epoch: this.#epoch, sequence: this.#sequence, items: this.#shown.all((key) => this.#concerns(key)) };
  }

  /** Number of the message that tells the last of all changes so far: those that wait go out in the order in which they came. */
  tells(): Pick<FeedContent, 'epoch' | 'sequence'> {
    return { epoch: this.#epoch, sequence: this.#sequence + Math.ceil(this.#changed.size / BATCH) };
  }

  close(): void {
    this.#isFollowing = false;
    this.#changed.clear();
  }

  mark(keys: ReadonlySet<string>): void {
    if (!this.#isFollowing) return;
    for (const key of keys) if (this.#concerns(key)) this.#changed.add(key);
    this.#start();
  }

  /** A follower of an earlier run of the module hears that it has to ask again. */
  async announce(): Promise<void> {
    if (this.#bus.reaches({ module: this.#module })) await this.#tell([]);
  }

  #concerns(key: string): boolean {
    return this.#prefixes.length === 0 || this.#prefixes.some((prefix) => key.startsWith(prefix));
  }

  #start(): void {
    if (this.#changed.size === 0) return;
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
      // What was marked between the end of the loop and here would wait for the next change.
      this.#start();
    });
  }

  /** Never rejects. One message at a time: what changes meanwhile goes into the next one. */
  async #send(): Promise<void> {
    while (this.#changed.size > 0) {
      const keys = [...this.#changed].slice(0, BATCH);
      for (const key of keys) this.#changed.delete(key);
      this.#sequence += 1;
      await this.#tell(keys.map((key) => this.#shown.item(key)));
    }
  }

  async #tell(items: readonly FeedItem[]): Promise<void> {
    const content: FeedContent = { epoch: this.#epoch, sequence: this.#sequence, items };
    try {
      await this.#bus.send(
        { module: this.#module },
        createMessage({ source: Modules.metaManager, group: this.#module, operation: Operations.update, resource: 'stored/objects', content }),
      );
    } catch (error) {
      // The follower finds a gap in the numbers and asks for everything, or it has gone.
      this.#log.verbose(1, 'a change of objects did not reach its follower', { follower: this.#module, keys: items.length, err: errorText(error) });
      if (errorCode(error) === 'bus.no-receiver') this.close();
    }
  }
}
