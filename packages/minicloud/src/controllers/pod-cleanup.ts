import { type StoredNode, type StoredPod, keyOf } from '../objects.js';
import { type Controller, type ControllerDeps, follow, listAll } from './controller.js';
import { Reconciler } from './reconciler.js';

/** Why a pod is to be removed without its node's word; undefined when it is not. */
export function planPodCleanup(pod: StoredPod, node: StoredNode | undefined, now: number, goneMs: number): string | undefined {
  if (!pod.spec.nodeName) return undefined;
  if (!node) return `its node ${pod.spec.nodeName} does not exist`;
  const { deletionTimestamp } = pod.metadata;
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  if (deletionTimestamp === undefined || ready?.status !== 'Unknown') return undefined;
  const unheardSince = Date.parse(ready.lastTransitionTime ?? '') || 0;
  const since = Math.max(unheardSince, Date.parse(deletionTimestamp));
  return now - since >= goneMs ? `its node has not been heard of for ${Math.round((now - unheardSince) / 1000)} s` : undefined;
}

/** Removes pods whose node is gone: at once when the Node object is, after a while when the node is silent. */
export class PodCleanup implements Controller {
  readonly #deps: ControllerDeps & { readonly goneMs: number };
  readonly #stops: (() => void)[] = [];
  readonly #work: Reconciler;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: ControllerDeps & { readonly goneMs: number }) {
    this.#deps = deps;
    this.#work = new Reconciler({ name: 'pod-cleanup', log: deps.log, reconcile: () => this.#sweep() });
  }

  start(): void {
    const { store, goneMs } = this.#deps;
    this.#stops.push(
      follow(store, 'nodes', (_object, event) => {
        if (event?.type === 'deleted') this.#work.enqueue('all');
      }),
    );
    this.#timer = setInterval(() => this.#work.enqueue('all'), Math.min(20_000, goneMs));
    this.#work.enqueue('all');
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const stop of this.#stops.splice(0)) stop();
    await this.#work.stop();
  }

  async #sweep(): Promise<void> {
    const { store, clients, now, goneMs, log } = this.#deps;
    const nodes = new Map(listAll<StoredNode>(store, 'nodes').map((node) => [node.metadata.name, node]));
    for (const pod of listAll<StoredPod>(store, 'pods')) {
      const reason = planPodCleanup(pod, nodes.get(pod.spec.nodeName ?? ''), now(), goneMs);
      if (reason === undefined) continue;
      log.info('removed a pod', { pod: keyOf(pod), reason });
      await clients.pods.delete(pod.metadata.name, pod.metadata.namespace, { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } });
    }
  }
}
