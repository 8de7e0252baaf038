import { errorText, isAbort, sleep, type CloudLink, type Logger } from '@edge/core';
import { parseResource, ResourceTypes, type KubeObject, type Pod } from '@edge/protocol';
import { referencesOf } from '../decide/references.js';
import { readObject, type MetaObjects } from '../meta-objects.js';
import type { Neighbours } from '../neighbours.js';
import type { ObjectFetcher } from '../object-fetcher.js';
import type { Freshness } from './freshness.js';
import { KeyQueue } from './key-queue.js';
import { planRefresh } from './plan.js';

/** Questions that are out at the same time. */
const WORKERS = 8;
/** Milliseconds between looks for what is still missing or unconfirmed. */
const REVIEW_MS = 60_000;

/**
 * Compares ConfigMaps and Secrets with the cloud after each connect, because what changed while the node was away is
 * not always sent. Tells edged what changed. [metamanager-7]
 */
export class Reconciler {
  readonly #objects: MetaObjects;
  readonly #fetcher: ObjectFetcher;
  readonly #freshness: Freshness;
  readonly #neighbours: Neighbours;
  readonly #link: CloudLink;
  readonly #log: Logger;
  readonly #queue = new KeyQueue();
  readonly #misses = new Map<string, { count: number; last: number }>();
  #session = -1;

  constructor(deps: { objects: MetaObjects; fetcher: ObjectFetcher; freshness: Freshness; neighbours: Neighbours; link: CloudLink; log: Logger }) {
    this.#objects = deps.objects;
    this.#fetcher = deps.fetcher;
    this.#freshness = deps.freshness;
    this.#neighbours = deps.neighbours;
    this.#link = deps.link;
    this.#log = deps.log;
  }

  /** Asks for an object soon, in the background. */
  want(resource: string): void {
    this.#queue.add(resource);
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    using _subscription = this.#link.subscribe(() => this.#review());
    this.#review();
    await Promise.all([this.#reviewRegularly(signal), ...Array.from({ length: WORKERS }, () => this.#work(signal))]);
  }

  async #reviewRegularly(signal: AbortSignal): Promise<void> {
    while (await pause(REVIEW_MS, signal)) this.#review();
  }

  #review(): void {
    const { connected, session } = this.#link.value;
    if (!connected) return this.#queue.clear();
    if (session !== this.#session) {
      this.#session = session;
      this.#misses.clear();
    }
    for (const resource of planRefresh(this.#referenced(), Date.now())) this.#queue.add(resource);
  }

  #referenced(): Parameters<typeof planRefresh>[0] {
    const pods = this.#objects.valuesOf(ResourceTypes.pod).map(readObject);
    const resources = new Set(pods.flatMap((pod) => (pod ? referencesOf(pod as KubeObject & Pod) : [])));
    for (const resource of this.#misses.keys()) if (!resources.has(resource)) this.#misses.delete(resource);
    return [...resources].map((resource) => {
      const path = parseResource(resource);
      return {
        resource,
        stored: this.#objects.identity(path) !== undefined,
        confirmed: this.#freshness.isConfirmed(path),
        misses: this.#misses.get(resource)?.count ?? 0,
        lastMiss: this.#misses.get(resource)?.last ?? 0,
      };
    });
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#refresh(await this.#queue.take(signal));
      } catch (error) {
        if (isAbort(error)) return;
        // The next session or review asks again; the row stays as it is.
        this.#log.verbose(1, 'an object could not be compared with the cloud', { err: errorText(error) });
      }
    }
  }

  async #refresh(resource: string): Promise<void> {
    const path = parseResource(resource);
    const before = this.#objects.object(path);
    const { change } = await this.#fetcher.fetch(resource);
    const object = this.#objects.object(path);
    if (object) this.#misses.delete(resource);
    else this.#misses.set(resource, { count: (this.#misses.get(resource)?.count ?? 0) + 1, last: Date.now() });
    if (change === 'created' || change === 'replaced') {
      if (object) await this.#neighbours.announce(resource, 'update', object);
    } else if (change === 'removed') {
      const { name = path.name, namespace = path.namespace, uid } = before?.metadata ?? {};
      await this.#neighbours.announce(resource, 'delete', { metadata: { name, namespace, ...(uid ? { uid } : {}) } });
    }
  }
}

/** False when the wait was ended by the signal. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(milliseconds, signal);
    return true;
  } catch {
    return false;
  }
}
