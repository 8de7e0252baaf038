import { randomUUID } from 'node:crypto';
import { errorCode, errorText, type Logger, type MessageBus } from '@edge/core';
import { createMessage, Modules, Operations, Sources } from '@edge/protocol';
import type { MetaObjects } from '../meta-objects.js';
import { ShownObjects, type FeedItem } from './shown-objects.js';

/** Content of the answer to `get stored/objects` and of each `update stored/objects` that follows it. */
export interface FeedContent {
  /** Another one means that the feed began anew: ask again. */
  readonly epoch: string;
  /** Counts the messages of the epoch; what has a number up to that of the answer is in the answer already. */
  readonly sequence: number;
  readonly items: readonly FeedItem[];
}

/** Objects in one message. */
const BATCH = 256;

/**
 * Tells metaserver which objects of the local API have changed. A message carries the state at the time of its making,
 * so that a slow follower gets fewer messages and never an older state after a newer one. Until somebody follows it
 * costs nothing. [metamanager-11]
 */
export class ObjectFeed {
  readonly #shown: ShownObjects;
  readonly #bus: MessageBus;
  readonly #log: Logger;
  readonly #epoch = randomUUID();
  readonly #changed = new Set<string>();
  #sequence = 0;
  #isFollowed = false;
  #sending: Promise<void> | undefined;

  constructor(deps: { objects: MetaObjects; bus: MessageBus; log: Logger }) {
    this.#shown = new ShownObjects({ objects: deps.objects });
    this.#bus = deps.bus;
    this.#log = deps.log;
    deps.objects.onShown((keys) => this.#mark(keys));
  }

  /** Everything there is; changes are told from here on. */
  follow(): FeedContent {
    this.#isFollowed = true;
    return { epoch: this.#epoch, sequence: this.#sequence, items: this.#shown.all() };
  }

  /** Number of the message that tells the last of all changes so far: those that wait go out in the order in which they came. */
  tells(): Pick<FeedContent, 'epoch' | 'sequence'> {
    return { epoch: this.#epoch, sequence: this.#sequence + Math.ceil(this.#changed.size / BATCH) };
  }

  /** A follower of an earlier run of the module hears that it has to ask again. */
  async announce(): Promise<void> {
    if (this.#bus.reaches({ module: Sources.metaServer })) await this.#tell([]);
  }

  close(): void {
    this.#isFollowed = false;
    this.#changed.clear();
  }

  #mark(keys: ReadonlySet<string>): void {
    if (!this.#isFollowed) return;
    for (const key of keys) this.#changed.add(key);
    this.#sending ??= this.#send().finally(() => (this.#sending = undefined));
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
        { module: Sources.metaServer },
        createMessage({ source: Modules.metaManager, group: Sources.metaServer, operation: Operations.update, resource: 'stored/objects', content }),
      );
    } catch (error) {
      // The follower finds a gap in the numbers and asks for everything, or it has gone.
      this.#log.verbose(1, 'a change of objects did not reach metaserver', { keys: items.length, err: errorText(error) });
      if (errorCode(error) === 'bus.no-receiver') this.close();
    }
  }
}
