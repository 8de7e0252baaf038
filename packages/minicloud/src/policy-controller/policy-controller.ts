import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '@edge/core';
import type { KubeObject, ObjectStore, ResourceClient } from '@edge/kubeapi';
import { ResourceTypes, Sources } from '@edge/protocol';
import { type Controller, follow, listAll } from '../controllers/controller.js';
import { Reconciler } from '../controllers/reconciler.js';
import { pushMessage } from '../edge-controller/messages.js';
import type { PushTarget } from '../edge-controller/downstream.js';
import { type Clients, type ClientSource, keyOf, type StoredPod } from '../objects.js';
import { accessSpec, type StoredBinding, type StoredRole } from './access-spec.js';

export interface PolicyControllerDeps {
  readonly store: ObjectStore;
  readonly source: ClientSource;
  readonly clients: Pick<Clients, 'serviceAccounts'>;
  readonly hub: Pick<PushTarget, 'push'>;
  readonly log: Logger;
}

interface StoredAccess extends KubeObject {
  spec: Record<string, unknown>;
  status?: { nodeList?: string[] };
}

const RBAC = 'rbac.authorization.k8s.io';
const ROLE_KINDS = ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'].map((plural) => `${RBAC}/${plural}`);
const API = 'policy.kubeedge.io/v1alpha1';

/**
 * Tells each node what the service accounts of its pods may do, so that it can decide without the cloud. As upstream's it
 * keeps a ServiceAccountAccess per account, with the nodes that know of it in its status.
 */
export class PolicyController implements Controller {
  readonly #deps: PolicyControllerDeps;
  readonly #accesses: ResourceClient<StoredAccess>;
  readonly #accounts: Reconciler;
  readonly #stops: (() => void)[] = [];

  constructor(deps: PolicyControllerDeps) {
    this.#deps = deps;
    this.#accesses = deps.source.resource<StoredAccess>(API, 'serviceaccountaccesses');
    this.#accounts = new Reconciler({ name: 'policycontroller', log: deps.log, reconcile: (key) => this.#reconcile(key) });
  }

  start(): void {
    const { store } = this.#deps;
    const ofPod = (pod: unknown): void => {
      const { metadata, spec } = pod as StoredPod;
      if (spec.nodeName) this.#accounts.enqueue(`${metadata.namespace ?? ''}/${spec.serviceAccountName ?? 'default'}`);
    };
    this.#stops.push(
      follow(store, 'pods', ofPod),
      follow(store, 'serviceaccounts', (account, event) => event && this.#accounts.enqueue(keyOf(account))),
      // Pods may have gone while the cloud was not running.
      follow(store, 'policy.kubeedge.io/serviceaccountaccesses', (access, event) => event || this.#accounts.enqueue(keyOf(access))),
      ...ROLE_KINDS.map((resource) => follow(store, resource, (_, event) => event && this.#all())),
    );
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.#accounts.stop();
  }

  /** Which accounts a role concerns takes longer to find out than to look at them all. */
  #all(): void {
    for (const access of listAll<KubeObject>(this.#deps.store, 'policy.kubeedge.io/serviceaccountaccesses')) this.#accounts.enqueue(keyOf(access));
  }

  async #reconcile(key: string): Promise<void> {
    const [namespace = '', name = ''] = key.split('/');
    const account = this.#deps.clients.serviceAccounts.find(name, namespace);
    const nodes = this.#nodesOf(namespace, name);
    const before = this.#accesses.find(name, namespace);
    const told = before?.status?.nodeList ?? [];
    if (!account || nodes.length === 0) {
      if (before === undefined) return;
      await this.#accesses.delete(name, namespace);
      return this.#push(told, 'delete', before);
    }
    await this.#write(account, this.#specOf(account), nodes, before);
    const access = await this.#accesses.get(name, namespace);
    // The hub sends nobody what he holds already.
    this.#push(nodes.filter((node) => told.includes(node)), 'update', access);
    this.#push(nodes.filter((node) => !told.includes(node)), 'insert', access);
    this.#push(told.filter((node) => !nodes.includes(node)), 'delete', access);
  }

  async #write({ metadata: { name, namespace } }: KubeObject, spec: Record<string, unknown>, nodes: string[], before: StoredAccess | undefined): Promise<void> {
    if (before === undefined) {
      await this.#accesses.create({ apiVersion: API, kind: 'ServiceAccountAccess', metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, spec });
    } else if (!isDeepStrictEqual(before.spec, spec)) {
      await this.#accesses.modify(name, namespace, (copy) => void (copy.spec = spec));
    }
    if (isDeepStrictEqual(before?.status?.nodeList, nodes)) return;
    await this.#accesses.modify(name, namespace, (copy) => void (copy.status = { nodeList: nodes }), { subresource: 'status' });
  }

  #nodesOf(namespace: string, name: string): string[] {
    const pods = listAll<StoredPod>(this.#deps.store, 'pods', namespace).filter(({ spec }) => (spec.serviceAccountName ?? 'default') === name);
    return [...new Set(pods.flatMap(({ spec }) => spec.nodeName || []))].sort();
  }

  #specOf(account: KubeObject): Record<string, unknown> {
    const { store, source } = this.#deps;
    const spec = accessSpec(account, {
      roleBindings: listAll<StoredBinding>(store, `${RBAC}/rolebindings`),
      clusterRoleBindings: listAll<StoredBinding>(store, `${RBAC}/clusterrolebindings`),
      role: (namespace, name) => source.resource<StoredRole>(`${RBAC}/v1`, 'roles').find(name, namespace),
      clusterRole: (name) => source.resource<StoredRole>(`${RBAC}/v1`, 'clusterroles').find(name),
    });
    // As it is stored: without members that are undefined.
    return JSON.parse(JSON.stringify(spec)) as Record<string, unknown>;
  }

  #push(nodes: readonly string[], operation: 'insert' | 'update' | 'delete', access: StoredAccess): void {
    const told = { ...access, status: { nodeList: [] } };
    for (const node of nodes) this.#deps.hub.push(node, pushMessage(operation, ResourceTypes.serviceAccountAccess, told, Sources.policyController));
  }
}
