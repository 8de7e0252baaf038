import { type Controller, type ControllerDeps, follow } from './controller.js';
import { Reconciler } from './reconciler.js';

const ROOT_CA = 'kube-root-ca.crt';

/** Gives each namespace its default service account and the ConfigMap with the API's authority. */
export class NamespaceContents implements Controller {
  readonly #deps: ControllerDeps & { readonly authorityPem: string };
  readonly #stops: (() => void)[] = [];
  readonly #work: Reconciler;

  constructor(deps: ControllerDeps & { readonly authorityPem: string }) {
    this.#deps = deps;
    this.#work = new Reconciler({ name: 'namespace-contents', log: deps.log, reconcile: (name) => this.#fill(name) });
  }

  start(): void {
    const { store } = this.#deps;
    this.#stops.push(
      follow(store, 'namespaces', (object) => this.#work.enqueue(object.metadata.name)),
      follow(store, 'serviceaccounts', (object, event) => {
        if (event?.type === 'deleted' && object.metadata.name === 'default') this.#work.enqueue(object.metadata.namespace ?? '');
      }),
      follow(store, 'configmaps', (object, event) => {
        if (event && object.metadata.name === ROOT_CA) this.#work.enqueue(object.metadata.namespace ?? '');
      }),
    );
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.#work.stop();
  }

  async #fill(namespace: string): Promise<void> {
    const { clients, authorityPem } = this.#deps;
    const found = clients.namespaces.find(namespace);
    if (!found || found.metadata.deletionTimestamp !== undefined) return;
    if (!clients.serviceAccounts.find('default', namespace)) {
      await clients.serviceAccounts.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
    }
    const data = { 'ca.crt': authorityPem };
    const present = clients.configMaps.find(ROOT_CA, namespace);
    if (!present) await clients.configMaps.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: ROOT_CA, namespace }, data });
    else if (present.data?.['ca.crt'] !== authorityPem) {
      await clients.configMaps.modify(ROOT_CA, namespace, (copy) => {
        copy.data = data;
      });
    }
  }
}
