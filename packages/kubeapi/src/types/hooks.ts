import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { KubeObject } from './object.js';
import type { DeleteOptions, RequestContext, WriteOptions } from './requests.js';
import type { ResourceRef, ResourceType } from './resource.js';

/** What an admission hook sees. Changing `object` in `mutate` changes what is stored. */
export interface AdmissionRequest {
  operation: 'create' | 'update' | 'delete';
  type: ResourceType;
  ref: ResourceRef;
  /** The object as it would be stored; absent for delete. */
  object: KubeObject | undefined;
  /** The object as it is stored; absent for create. Shared: do not change. */
  current: KubeObject | undefined;
  deleteOptions: DeleteOptions | undefined;
  dryRun: boolean;
  context: RequestContext;
}

/**
 * A rule in front of every write. Refuse by throwing an `ApiError` (usually `forbidden` or `invalid`). Hooks run in
 * the order of registration, all `mutate` before all `validate`. An update may be tried again after a conflict, so a
 * hook runs once or more per request and must not count on more.
 */
export interface AdmissionHook {
  name: string;
  /** `group/plural` (core: `pods`), or undefined for all. */
  resources?: readonly string[];
  operations?: readonly AdmissionRequest['operation'][];
  /** Also called for these subresources; never for others. */
  subresources?: readonly string[];
  mutate?(request: AdmissionRequest): void | Promise<void>;
  validate?(request: AdmissionRequest): void | Promise<void>;
}

/** A request for a subresource that the engine does not serve itself. */
export interface SubresourceRequest {
  verb: 'get' | 'create' | 'update' | 'patch' | 'delete';
  type: ResourceType;
  /** With namespace, name, subresource; `path` is what follows the subresource, without leading slash. */
  ref: ResourceRef & { name: string; subresource: string };
  path: string;
  /** Parsed body for create, update and patch. */
  body: unknown;
  query: URLSearchParams;
  options: WriteOptions;
  context: RequestContext;
}

/** Serves one subresource, such as `pods/binding`. Give `handle` for objects, `stream` and `upgrade` for raw traffic. */
export interface SubresourceHandler {
  group: string;
  plural: string;
  subresource: string;
  /** Returns the answer's object; its HTTP status is 201 for create and 200 otherwise. */
  handle?(request: SubresourceRequest): Promise<KubeObject | Record<string, unknown>>;
  /** Takes over the HTTP exchange (logs, proxy). The body has not been read. */
  stream?(request: SubresourceRequest, http: { request: IncomingMessage; response: ServerResponse }): Promise<void>;
  /** Takes over a connection upgrade (exec, attach, port-forward). Owns the socket from here on. */
  upgrade?(request: SubresourceRequest, http: { request: IncomingMessage; socket: Duplex; head: Buffer }): Promise<void>;
}
