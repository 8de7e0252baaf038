import type { Verb } from './resource.js';

/** Who asks. */
export interface UserInfo {
  name: string;
  uid?: string;
  groups: readonly string[];
  extra?: Readonly<Record<string, readonly string[]>>;
}

/** What accompanies a call. In-process callers may leave it out: they act as `system:kubeapi`. */
export interface RequestContext {
  user?: UserInfo;
  signal?: AbortSignal;
  /** Collects texts for `Warning: 299` headers. */
  warn?: (text: string) => void;
}

export interface WriteOptions {
  /** Go through everything but the write. */
  dryRun?: boolean;
  fieldManager?: string;
  /** What to do with fields the schema does not know. `Strict` refuses, `Warn` warns and drops, `Ignore` drops. */
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
}

export interface GetOptions {
  /** Absent or '0': what is at hand. Else not older than this. */
  resourceVersion?: string;
}

export interface ListOptions {
  namespace?: string;
  /** In the grammar of kubectl's `-l`. */
  labelSelector?: string;
  /** In the grammar of kubectl's `--field-selector`. */
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  resourceVersion?: string;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

export interface WatchOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Absent or '0': first everything that is there as ADDED. Else only what came later. */
  resourceVersion?: string;
  resourceVersionMatch?: 'NotOlderThan';
  allowBookmarks?: boolean;
  sendInitialEvents?: boolean;
}

export interface Preconditions {
  uid?: string;
  resourceVersion?: string;
}

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  orphanDependents?: boolean;
  preconditions?: Preconditions;
  dryRun?: boolean;
}

/** Form of a patch. The body is a value for all of them (an array for `json`). */
export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface PatchRequest {
  type: PatchType;
  body: unknown;
  /** Only for `apply`: take over fields of other managers. */
  force?: boolean;
}

export type AccessVerb = Verb | 'connect';
