import type { StoredLease, StoredNode } from '../objects.js';
import { LEASE_NAMESPACE } from '@edge/protocol';
import { type Controller, type ControllerDeps, follow } from './controller.js';
import { planNode } from './node-lifecycle-plan.js';
import { Reconciler } from './reconciler.js';

interface Heard {
  readonly renewTime: string;
  /** By our clock: a node's own clock may be decades off. */
  readonly at: number;
}

/** Marks nodes that are not heard of and clears the mark when they are back. */
export class NodeLifecycle implements Controller {
  readonly #deps: ControllerDeps & { readonly graceMs: number };
  readonly #heard = new Map<string, Heard>();
  readonly #stops: (() => void)[] = [];
  readonly #work: Reconciler;

  constructor(deps: ControllerDeps & { readonly graceMs: number }) {
    this.#deps = deps;
    this.#work = new Reconciler({ name: 'node-lifecycle', log: deps.log, reconcile: (name) => this.#check(name) });
  }

  start(): void {
    const { store } = this.#deps;
    this.#stops.push(
      follow(store, 'nodes', (object, event) => {
        if (event?.type === 'deleted') this.#heard.delete(object.metadata.name);
        else this.#work.enqueue(object.metadata.name);
      }),
      follow(store, 'coordination.k8s.io/leases', (object) => {
        if (object.metadata.namespace !== LEASE_NAMESPACE) return;
        const lease = object as unknown as StoredLease;
        if (this.#hear(object.metadata.name, lease.spec.renewTime ?? '')) this.#work.enqueue(object.metadata.name);
      }),
    );
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.#work.stop();
  }

  /** Notes a renewal; true when the node had been silent until now. */
  #hear(name: string, renewTime: string): boolean {
    const before = this.#heard.get(name);
    if (before?.renewTime === renewTime) return false;
    this.#heard.set(name, { renewTime, at: this.#deps.now() });
    return before === undefined || this.#deps.now() - before.at >= this.#deps.graceMs;
  }

  async #check(name: string): Promise<number | undefined> {
    const { clients, now, graceMs, events } = this.#deps;
    const node = clients.nodes.find(name);
    if (!node) return undefined;
    // What has never been heard of gets the time of grace from now on.
    if (!this.#heard.has(name)) this.#heard.set(name, { renewTime: '', at: now() });
    const age = now() - (this.#heard.get(name)?.at ?? 0);
    const silent = age >= graceMs;
    const plan = planNode(node, silent, now());
    if (plan.conditions) {
      await clients.nodes.modify(name, undefined, (copy) => {
        const { conditions } = planNode(copy, silent, now());
        if (!conditions) return false;
        copy.status = { ...copy.status, conditions };
        return undefined;
      }, { subresource: 'status' });
      events.record('node-controller', node, 'Warning', 'NodeNotReady', `nothing heard of the node for ${Math.round(age / 1000)} s`);
    }
    if (plan.taints) {
      await clients.nodes.modify(name, undefined, (copy: StoredNode) => {
        const { taints } = planNode(copy, silent, now());
        if (!taints) return false;
        if (taints.length > 0) copy.spec.taints = taints;
        else delete copy.spec.taints;
        return undefined;
      });
    }
    return silent ? undefined : graceMs - age + 10;
  }
}
