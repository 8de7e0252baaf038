import type { KubeObject } from './object.js';
import type { ResourceStrategy } from './strategy.js';
import type { StructuralSchema } from './schema.js';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** One column of the Table form. `value` may return a plain value or undefined for an empty cell. */
export interface TableColumn {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  format?: string;
  description?: string;
  /** 0 shows always, anything above only with `-o wide`. */
  priority?: number;
  value: (object: KubeObject, now: Date) => string | number | boolean | undefined;
}

/** A subresource of a type. `status` and `scale` are served by the engine, all others by a registered handler. */
export interface SubresourceSpec {
  name: string;
  verbs: readonly Verb[];
  /** The kind its bodies have; the parent's when absent. */
  kind?: { group: string; version: string; kind: string };
}

/** Where `*\/scale` finds its numbers: JSON paths with leading dot, as in a CustomResourceDefinition. */
export interface ScalePaths {
  specReplicasPath: string;
  statusReplicasPath: string;
  labelSelectorPath?: string;
}

/** One kind of object that is served under one version. Versions of the same group and plural share their objects. */
export interface ResourceType {
  /** Empty text for the core group. */
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  /** `<kind>List` when absent. */
  listKind?: string;
  namespaced: boolean;
  shortNames?: readonly string[];
  categories?: readonly string[];
  verbs: readonly Verb[];
  subresources?: readonly SubresourceSpec[];
  scale?: ScalePaths;
  /** Columns after Name and before nothing: give Age yourself. Name and Age when absent. */
  tableColumns?: readonly TableColumn[];
  /** Field selector labels beyond metadata.name and metadata.namespace, with the way to read them. */
  selectableFields?: Readonly<Record<string, (object: KubeObject) => string>>;
  strategy?: ResourceStrategy;
  /** Checked on every write; unknown fields are pruned unless the schema keeps them. */
  schema?: StructuralSchema;
  /**
   * What its objects are stored under. `group/plural` when absent, so that versions share their objects; a type that is
   * not to share them names a place of its own.
   */
  storedAs?: string;
  /** True for types that came from a CustomResourceDefinition. */
  custom?: boolean;
  /** A deprecated version answers with this text as Warning header. */
  deprecationWarning?: string;
}

/** What addresses a type: group, version and plural name. */
export interface GroupVersionResource {
  group: string;
  version: string;
  resource: string;
}

/** What addresses one object, a collection (no name), or a subresource. */
export interface ResourceRef extends GroupVersionResource {
  namespace?: string;
  name?: string;
  subresource?: string;
}
