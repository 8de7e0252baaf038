import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestContext, UserInfo } from './requests.js';
import type { ResourceRef } from './resource.js';

/** What a request wants, for authorization. Non-resource requests have only `path` and `method`. */
export interface AccessRequest {
  user: UserInfo;
  /** Lower-case verb as in an RBAC rule (get, list, watch, create, update, patch, delete, deletecollection). */
  verb: string;
  path: string;
  query: URLSearchParams;
  ref: ResourceRef | undefined;
}

/** Returns who asks, or undefined to refuse with 401. */
export type Authenticator = (request: IncomingMessage) => Promise<UserInfo | undefined> | UserInfo | undefined;

/** Returns true to allow, or the reason for a 403. */
export type Authorizer = (request: AccessRequest) => Promise<true | string> | true | string;

/** A request that has been let in and that nobody has looked at yet. */
export interface IncomingRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  /** What a path below a resource names; undefined for documents such as discovery. */
  ref: ResourceRef | undefined;
  user: UserInfo;
  context: RequestContext;
  request: IncomingMessage;
  response: ServerResponse;
}

/**
 * Called after authentication and authorization, before the type is looked up. It may answer the request itself (then it
 * returns true), or see to it that the registry knows the type that is asked for. May throw an `ApiError`.
 */
export type RequestHook = (request: IncomingRequest) => Promise<boolean> | boolean;

/** Answer of `/version`. */
export interface VersionInfo {
  major: string;
  minor: string;
  gitVersion: string;
  gitCommit: string;
  gitTreeState: string;
  buildDate: string;
  goVersion: string;
  compiler: string;
  platform: string;
}

export interface TlsSettings {
  key: string | Buffer;
  cert: string | Buffer;
  /** Certificates of this authority are asked for (not demanded) and reach the authenticator through the socket. */
  clientCa?: string | Buffer;
}

export interface ApiServerOptions {
  /** Anyone is `system:anonymous` when absent. */
  authenticate?: Authenticator;
  authorize?: Authorizer;
  /** Sees requests first, and watches over WebSocket; other upgrades do not pass it, and none can be answered by it. */
  onRequest?: RequestHook;
  tls?: TlsSettings;
  version?: Partial<VersionInfo>;
  /** Bytes a request body may have; 3 MiB when absent. */
  bodyLimit?: number;
  /** Bytes of JSON that are kept so that objects which are read often are not written out anew each time; 32 MiB when absent, 0 keeps none. */
  encodedBytes?: number;
  /** Bytes that may wait for one slow watcher before its watch is ended; 1 MiB when absent. */
  watchBufferBytes?: number;
  /** Milliseconds between bookmarks; 60,000 when absent. */
  bookmarkInterval?: number;
  /** Named checks behind /healthz, /livez and /readyz: return undefined when well, else what is wrong. */
  checks?: Readonly<Record<string, () => string | undefined>>;
  /** Told of every failure that is not an ApiError (our bug). Never of refusals. */
  onInternalError?: (error: unknown, context: RequestContext & { path: string; method: string }) => void;
}
