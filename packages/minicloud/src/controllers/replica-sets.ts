import type { KubeObject } from '@edge/kubeapi';
import { sameData } from '@edge/protocol';
import { keyOf, type StoredPod, type StoredReplicaSet } from '../objects.js';
import { type Controller, type ControllerDeps, follow, listAll } from './controller.js';
import { planReplicaSet } from './replica-set-plan.js';
import { Reconciler } from './reconciler.js';

const NAME = 'replicaset-controller';

/** Keeps as many pods as each ReplicaSet wants. */
export class ReplicaSets implements Controller {
  readonly #deps: ControllerDeps;
  readonly #stops: (() => void)[] = [];
  readonly #work: Reconciler;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.#work = new Reconciler({ name: NAME, log: deps.log, reconcile: (key) => this.#reconcile(key) });
  }

  start(): void {
    const { store } = this.#deps;
    this.#stops.push(
      follow(store, 'apps/replicasets', (object) => this.#work.enqueue(keyOf(object))),
      follow(store, 'pods', (pod) => {
        const owner = ownerOf(pod, 'ReplicaSet');
        if (owner) this.#work.enqueue(`${pod.metadata.namespace ?? ''}/${owner.name}`);
      }),
    );
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.#work.stop();
  }

  async #reconcile(key: string): Promise<number | undefined> {
    const { store, clients, events, now } = this.#deps;
    const [namespace = '', name = ''] = key.split('/');
    const set = clients.replicaSets.find(name, namespace);
    if (!set) return undefined;
    const pods = listAll<StoredPod>(store, 'pods', namespace).filter((pod) => ownerOf(pod, 'ReplicaSet')?.uid === set.metadata.uid);
    const plan = planReplicaSet(set, pods, now());
    const created = await Promise.all(Array.from({ length: plan.create }, () => clients.pods.create(podOf(set))));
    for (const pod of created) events.record(NAME, set, 'Normal', 'SuccessfulCreate', `created pod ${pod.metadata.name}`);
    for (const pod of plan.remove) {
      await clients.pods.delete(pod.metadata.name, namespace, { preconditions: { uid: pod.metadata.uid } });
      events.record(NAME, set, 'Normal', 'SuccessfulDelete', `deleted pod ${pod.metadata.name}`);
    }
    // Its own changes bring it here once more; only what is settled is reported.
    if (created.length === 0 && plan.remove.length === 0 && !sameData(plan.status, set.status)) {
      await clients.replicaSets.modify(name, namespace, (copy) => {
        if (copy.metadata.uid !== set.metadata.uid) return false;
        copy.status = plan.status;
        return undefined;
      }, { subresource: 'status' });
    }
    return plan.lookAgainMs;
  }
}

/** The controlling owner of a kind. */
export function ownerOf(object: { metadata: { ownerReferences?: { kind: string; name: string; uid: string; controller?: boolean }[] } }, kind: string): { name: string; uid: string } | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true && owner.kind === kind);
}

function podOf(set: StoredReplicaSet): KubeObject {
  const { metadata, spec } = set.spec.template;
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: {
      generateName: `${set.metadata.name}-`, namespace: set.metadata.namespace,
      ...(metadata?.labels ? { labels: metadata.labels } : {}), ...(metadata?.annotations ? { annotations: metadata.annotations } : {}),
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: set.metadata.name, uid: set.metadata.uid, controller: true, blockOwnerDeletion: true }],
    },
    spec,
  } as unknown as KubeObject;
}
