import type { FieldError } from '../errors.js';
import type { KubeObject } from './object.js';
import type { DeleteOptions } from './requests.js';

/**
 * How one kind differs from the general rules. All functions are pure apart from changing the object they are given,
 * which is a private copy. None of them may wait.
 */
export interface ResourceStrategy {
  /** Fill defaults. Called for create and for every update, before hooks and validation. */
  setDefaults?(object: KubeObject): void;
  prepareForCreate?(object: KubeObject): void;
  /** Whether a create may bring a status along although there is a status subresource, as nodes do. */
  statusOnCreate?: boolean;
  /** Carry over what an update must not change. `subresource` is '' for the object itself. */
  prepareForUpdate?(next: KubeObject, current: KubeObject, subresource: string): void;
  validate?(object: KubeObject): FieldError[];
  validateUpdate?(next: KubeObject, current: KubeObject): FieldError[];
  /** Rule for names; a DNS subdomain when absent. Returns what is wrong, or undefined. */
  validateName?(name: string): string | undefined;
  /**
   * Seconds of grace a deletion gives. 0 (and an absent function) removes at once; more only marks the object, which
   * goes when it is deleted again with grace 0.
   */
  gracePeriodSeconds?(object: KubeObject, options: DeleteOptions): number;
  /**
   * Whether something of its own keeps a deleted object besides grace and finalizers (`spec.finalizers` of a
   * Namespace). Asked only where a garbage collector runs.
   */
  isHeld?(object: KubeObject): boolean;
  /** Whether a write of `status` leaves labels, annotations and owners alone. Default: only for custom resources. */
  statusKeepsMetadata?: boolean;
  /** Whether `generation` is kept. Default: for objects with a `spec` and for custom resources. */
  generation?: boolean;
}
