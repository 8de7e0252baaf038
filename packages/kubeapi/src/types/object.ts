import type { OwnerReference } from '@edge/protocol';

export type { OwnerReference };

/** The metadata every stored object carries. Times are RFC 3339 in UTC with whole seconds. */
export interface ObjectMeta {
  name: string;
  generateName?: string;
  /** Absent on cluster-scoped objects. */
  namespace?: string;
  uid: string;
  /** A decimal number as text; grows with every write of the whole store. */
  resourceVersion: string;
  /** Grows when the desired state changes, never for a change of `status` or of metadata. */
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: unknown[];
}

/** An object as the API answers it. Objects that come out of a store are shared: read them, never change them. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** An object as a caller may hand it in: everything the server can fill in may be absent. */
export interface DraftObject {
  apiVersion?: string;
  kind?: string;
  metadata?: Partial<ObjectMeta>;
  [field: string]: unknown;
}

/** A list as the API answers it. */
export interface KubeList<T = KubeObject> {
  apiVersion: string;
  kind: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

/** What `application/json;stream=watch` carries, one a line. */
export interface WatchEvent<T = KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  /** For BOOKMARK only kind, apiVersion and metadata.resourceVersion are set; for ERROR it is a Status. */
  object: T;
}
