import type { KubeObject } from '@edge/kubeapi';
import { type Controller, type ControllerDeps, listAll } from './controller.js';
import { Reconciler } from './reconciler.js';

const SWEEP_MS = 60_000;
const AT_ONCE = 200;

/** Forgets events some time after they were last seen. */
export class EventExpiry implements Controller {
  readonly #deps: ControllerDeps & { readonly ttlMs: number };
  readonly #work: Reconciler;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: ControllerDeps & { readonly ttlMs: number }) {
    this.#deps = deps;
    this.#work = new Reconciler({ name: 'event-expiry', log: deps.log, reconcile: () => this.#sweep() });
  }

  start(): void {
    this.#timer = setInterval(() => this.#work.enqueue('all'), Math.min(SWEEP_MS, this.#deps.ttlMs));
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#work.stop();
  }

  async #sweep(): Promise<void> {
    const { store, clients, now, ttlMs } = this.#deps;
    const old = listAll<KubeObject>(store, 'events').filter((event) => now() - lastSeen(event) > ttlMs);
    for (let start = 0; start < old.length; start += AT_ONCE) {
      await Promise.all(old.slice(start, start + AT_ONCE).map(({ metadata }) => clients.events.delete(metadata.name, metadata.namespace)));
    }
  }
}

/** A node's clock may be wrong, so the time of arrival counts when it is later. */
function lastSeen(event: KubeObject): number {
  const times = [event.metadata.creationTimestamp, event['lastTimestamp']].map((time) => Date.parse(String(time))).filter((time) => !Number.isNaN(time));
  return Math.max(0, ...times);
}
