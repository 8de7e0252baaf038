import type { DraftObject } from '@edge/kubeapi';
import { sameData } from '@edge/protocol';
import { keyOf, type StoredDeployment, type StoredReplicaSet } from '../objects.js';
import { type Controller, type ControllerDeps, follow, listAll } from './controller.js';
import { type DeploymentPlan, HASH_LABEL, planDeployment, REVISION } from './deployment-plan.js';
import { deploymentStatus } from './deployment-status.js';
import { Reconciler } from './reconciler.js';
import { ownerOf } from './replica-sets.js';

const NAME = 'deployment-controller';

/** Moves each Deployment's pods to its present template, by way of ReplicaSets. */
export class Deployments implements Controller {
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
      follow(store, 'apps/deployments', (object) => this.#work.enqueue(keyOf(object))),
      follow(store, 'apps/replicasets', (set) => {
        const owner = ownerOf(set, 'Deployment');
        if (owner) this.#work.enqueue(`${set.metadata.namespace ?? ''}/${owner.name}`);
      }),
    );
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.#work.stop();
  }

  async #reconcile(key: string): Promise<number | undefined> {
    const { store, clients, now } = this.#deps;
    const [namespace = '', name = ''] = key.split('/');
    const deployment = clients.deployments.find(name, namespace);
    if (!deployment || deployment.metadata.deletionTimestamp !== undefined) return undefined;
    const sets = listAll<StoredReplicaSet>(store, 'apps/replicasets', namespace).filter((set) => ownerOf(set, 'Deployment')?.uid === deployment.metadata.uid);
    const plan = planDeployment(deployment, sets);
    if (await this.#apply(deployment, plan)) return undefined;
    await this.#setRevision(deployment, plan.revision);
    const status = deploymentStatus(deployment, sets, plan, now());
    if (!sameData(status, deployment.status)) {
      await clients.deployments.modify(name, namespace, (copy) => {
        if (copy.metadata.uid !== deployment.metadata.uid) return false;
        copy.status = status;
        return undefined;
      }, { subresource: 'status' });
    }
    const isMoving = status.conditions?.some((condition) => condition.reason === 'ReplicaSetUpdated');
    return isMoving ? (deployment.spec.progressDeadlineSeconds ?? 600) * 1000 + 1000 : undefined;
  }

  /** Performs a plan; true when it changed a set, whose event leads to the next round. */
  async #apply(deployment: StoredDeployment, plan: DeploymentPlan): Promise<boolean> {
    const { clients, events } = this.#deps;
    const { namespace } = deployment.metadata;
    if (plan.create) {
      const set = await clients.replicaSets.create(setOf(deployment, plan.create));
      events.record(NAME, deployment, 'Normal', 'ScalingReplicaSet', `scaled up replica set ${set.metadata.name} to ${plan.create.replicas}`);
    }
    if (plan.renumber) {
      const { set, revision } = plan.renumber;
      await clients.replicaSets.modify(set.metadata.name, namespace, (copy) => {
        copy.metadata.annotations = { ...copy.metadata.annotations, [REVISION]: String(revision) };
      });
    }
    for (const { set, replicas } of plan.scale) {
      await clients.replicaSets.modify(set.metadata.name, namespace, (copy) => {
        copy.spec.replicas = replicas;
      });
      const direction = replicas > (set.spec.replicas ?? 1) ? 'up' : 'down';
      events.record(NAME, deployment, 'Normal', 'ScalingReplicaSet', `scaled ${direction} replica set ${set.metadata.name} to ${replicas}`);
    }
    for (const set of plan.remove) await clients.replicaSets.delete(set.metadata.name, namespace, { preconditions: { uid: set.metadata.uid } });
    return plan.create !== undefined || plan.renumber !== undefined || plan.scale.length > 0;
  }

  async #setRevision(deployment: StoredDeployment, revision: number): Promise<void> {
    if (deployment.metadata.annotations?.[REVISION] === String(revision)) return;
    await this.#deps.clients.deployments.modify(deployment.metadata.name, deployment.metadata.namespace, (copy) => {
      copy.metadata.annotations = { ...copy.metadata.annotations, [REVISION]: String(revision) };
    });
  }
}

function setOf(deployment: StoredDeployment, plan: NonNullable<DeploymentPlan['create']>): DraftObject {
  const { template, selector, minReadySeconds } = deployment.spec;
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: plan.hash };
  const { 'kubectl.kubernetes.io/last-applied-configuration': _applied, ...annotations } = deployment.metadata.annotations ?? {};
  return {
    apiVersion: 'apps/v1', kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${plan.hash}`, namespace: deployment.metadata.namespace ?? 'default', labels,
      annotations: { ...annotations, [REVISION]: String(plan.revision) },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: deployment.metadata.name, uid: deployment.metadata.uid, controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      replicas: plan.replicas, ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: plan.hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}
