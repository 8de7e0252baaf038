import { definitionErrors, typesOf, type KubeObject, type ObjectStore } from '@edge/kubeapi';
import type { TypeCatalog } from './catalog.js';

const DEFINITIONS = 'apiextensions.k8s.io/v1/customresourcedefinitions';

/** Lets the catalog know what the CustomResourceDefinitions that the node has say of its types: columns, schema, selectable fields. [metaserver-8.3] */
export class Definitions {
  readonly #catalog: TypeCatalog;
  readonly #stop: () => void;

  constructor(deps: { catalog: TypeCatalog; store: ObjectStore }) {
    this.#catalog = deps.catalog;
    const { items, resourceVersion } = deps.store.list({ resource: DEFINITIONS });
    for (const definition of items) this.#take(definition);
    this.#stop = deps.store.watch({ resource: DEFINITIONS, after: resourceVersion }, ({ type, object, previous }) => {
      if (type === 'deleted') this.#catalog.describe(object.metadata.name, []);
      else if (object !== previous) this.#take(object);
    });
  }

  close(): void {
    this.#stop();
  }

  /** One that makes no sense describes nothing: the cloud has accepted it, and its objects are served all the same. */
  #take(definition: KubeObject): void {
    this.#catalog.describe(definition.metadata.name, definitionErrors(definition).length > 0 ? [] : typesOf(definition));
  }
}
