import { untilAborted, type Life, type Runnable } from '@edge/core';
import type { Message } from '@edge/protocol';
import type { Feed } from './data/feed.js';
import type { MeshTable } from './data/mesh-table.js';
import type { ServiceTable } from './data/service-table.js';
import type { MeshPart } from './mesh-part.js';
import { refuseRivals } from './rivals.js';

export interface EdgeMeshDeps {
  readonly table: MeshTable;
  readonly feed: Feed;
  readonly parts: readonly MeshPart[];
  /** The table as the parts see it, begun when everything stored is in it. */
  readonly view: (table: MeshTable) => Promise<ServiceTable & Partial<Disposable>>;
}

/** Services by name and by cluster address on the node, from what is stored on it. */
export class EdgeMesh implements Runnable {
  readonly #deps: EdgeMeshDeps;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(deps: EdgeMeshDeps) {
    this.#deps = deps;
  }

  async run(life: Life): Promise<void> {
    const { table, feed, parts, view } = this.#deps;
    this.#signal = life.signal;
    await refuseRivals();
    await feed.begin(life.signal);
    const seen = await view(table);
    using _view = { [Symbol.dispose]: () => seen[Symbol.dispose]?.() };
    // One does not outlive the other.
    const ended = new AbortController();
    const signal = AbortSignal.any([life.signal, ended.signal]);
    let waiting = parts.length;
    const ready = (): void => {
      waiting -= 1;
      if (waiting === 0) life.ready();
    };
    if (parts.length === 0) life.ready();
    const works = parts.map((part) => part.run(seen, signal, ready).finally(() => ended.abort()));
    await Promise.allSettled([untilAborted(signal), ...works]);
    await Promise.all(works);
  }

  /** A message of metamanager about its objects. */
  take(message: Message): Promise<void> {
    return this.#deps.feed.take(message, this.#signal);
  }
}
