import { randomUUID } from 'node:crypto';
import type { Logger, MessageBus } from '@edge/core';
import { Modules, Sources } from '@edge/protocol';
import type { MetaObjects } from '../meta-objects.js';
import { FeedFollower } from './follower.js';
import { ShownObjects } from './shown-objects.js';

/** Modules that may follow: what is stored is nobody else's business. */
export const FOLLOWERS: readonly string[] = [Sources.metaServer, Modules.edgeMesh];

/** Tells followers which objects have changed, each by itself. Until somebody follows it costs nothing. [metamanager-11] */
export class ObjectFeed {
  readonly #followers: ReadonlyMap<string, FeedFollower>;

  constructor(deps: { objects: MetaObjects; bus: MessageBus; log: Logger }) {
    const shared = { epoch: randomUUID(), shown: new ShownObjects({ objects: deps.objects }), bus: deps.bus, log: deps.log };
    this.#followers = new Map(FOLLOWERS.map((module) => [module, new FeedFollower({ ...shared, module })]));
    deps.objects.onShown((keys) => {
      for (const follower of this.#followers.values()) follower.mark(keys);
    });
  }

  /** @param module one of `FOLLOWERS`, to which the route has looked */
  of(module: string): FeedFollower {
    return this.#followers.get(module) as FeedFollower;
  }

  async announce(): Promise<void> {
    await Promise.all([...this.#followers.values()].map((follower) => follower.announce()));
  }

  close(): void {
    for (const follower of this.#followers.values()) follower.close();
  }
}
