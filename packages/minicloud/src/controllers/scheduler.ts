import { type PodCondition, timestamp } from '@edge/protocol';
import { type StoredNode, type StoredPod, keyOf } from '../objects.js';
import { type Controller, type ControllerDeps, follow, listAll } from './controller.js';
import { Reconciler } from './reconciler.js';
import { choosePlace } from './scheduler-plan.js';

const NAME = 'default-scheduler';

/** Gives pods that have no node one. Works on one pod at a time, so that two pods never take the same room. */
export class Scheduler implements Controller {
  readonly #deps: ControllerDeps;
  readonly #pending = new Map<string, { namespace: string; name: string }>();
  readonly #stops: (() => void)[] = [];
  readonly #work: Reconciler;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.#work = new Reconciler({ name: NAME, log: deps.log, reconcile: (key) => this.#schedule(key) });
  }

  start(): void {
    const { store } = this.#deps;
    this.#stops.push(
      follow(store, 'pods', (object, event) => {
        const pod = object as unknown as StoredPod;
        const key = keyOf(pod);
        const waits = event?.type !== 'deleted' && !pod.spec.nodeName && pod.metadata.deletionTimestamp === undefined && pod.spec['schedulerName'] === NAME;
        if (waits) {
          const isNew = !this.#pending.has(key);
          this.#pending.set(key, { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name });
          if (isNew) this.#work.enqueue(key);
        } else {
          this.#pending.delete(key);
          // Its room may be what another pod waits for.
          if (event?.type === 'deleted' && pod.spec.nodeName) this.#retryAll();
        }
      }),
      follow(store, 'nodes', () => this.#retryAll()),
    );
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.#work.stop();
  }

  #retryAll(): void {
    for (const key of this.#pending.keys()) this.#work.enqueue(key);
  }

  async #schedule(key: string): Promise<void> {
    const { store, clients, events } = this.#deps;
    const { namespace, name } = this.#pending.get(key) ?? { namespace: '', name: '' };
    const pod = name === '' ? undefined : clients.pods.find(name, namespace);
    if (!pod || pod.spec.nodeName || pod.metadata.deletionTimestamp !== undefined) return;
    const running = new Map<string, StoredPod[]>();
    for (const other of listAll<StoredPod>(store, 'pods')) {
      if (other.spec.nodeName && !isFinished(other)) running.set(other.spec.nodeName, [...(running.get(other.spec.nodeName) ?? []), other]);
    }
    const place = choosePlace(pod, listAll<StoredNode>(store, 'nodes').map((node) => ({ node, pods: running.get(node.metadata.name) ?? [] })));
    if ('node' in place) {
      await bindPod(this.#deps, pod, place.node);
      events.record(NAME, pod, 'Normal', 'Scheduled', `assigned ${key} to ${place.node}`);
    } else if (await setScheduledCondition(this.#deps, pod, { status: 'False', reason: 'Unschedulable', message: place.reason })) {
      events.record(NAME, pod, 'Warning', 'FailedScheduling', place.reason);
    }
  }
}

function isFinished(pod: StoredPod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Assigns a pod to a node. The condition goes first, so that the node sees it with the assignment. */
export async function bindPod(deps: Pick<ControllerDeps, 'clients' | 'now'>, pod: StoredPod, node: string): Promise<void> {
  await setScheduledCondition(deps, pod, { status: 'True' });
  await deps.clients.pods.modify(pod.metadata.name, pod.metadata.namespace, (copy) => {
    if (copy.metadata.uid !== pod.metadata.uid || copy.spec.nodeName) return false;
    copy.spec.nodeName = node;
  });
}

/** Sets the pod's PodScheduled condition; false when it was like that already. */
async function setScheduledCondition(
  { clients, now }: Pick<ControllerDeps, 'clients' | 'now'>, pod: StoredPod, wanted: Pick<PodCondition, 'status' | 'reason' | 'message'>,
): Promise<boolean> {
  let changed = false;
  await clients.pods.modify(pod.metadata.name, pod.metadata.namespace, (copy) => {
    changed = false;
    if (copy.metadata.uid !== pod.metadata.uid) return false;
    const others = copy.status?.conditions?.filter((condition) => condition.type !== 'PodScheduled') ?? [];
    const present = copy.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
    if (present && present.status === wanted.status && present.message === wanted.message) return false;
    changed = true;
    const lastTransitionTime = present?.status === wanted.status ? (present.lastTransitionTime ?? null) : timestamp(now());
    copy.status = { ...copy.status, conditions: [...others, { type: 'PodScheduled', lastProbeTime: null, lastTransitionTime, ...wanted }] };
    return undefined;
  }, { subresource: 'status' });
  return changed;
}
