export type { DraftObject, KubeList, KubeObject, ObjectMeta, OwnerReference, WatchEvent } from './types/object.js';
export type {
  GroupVersionResource, ResourceRef, ResourceType, ScalePaths, SubresourceSpec, TableColumn, Verb,
} from './types/resource.js';
export type { StructuralSchema } from './types/schema.js';
export type { ResourceStrategy } from './types/strategy.js';
export type {
  AccessVerb, DeleteOptions, GetOptions, ListOptions, PatchRequest, PatchType, Preconditions, RequestContext, UserInfo,
  WatchOptions, WriteOptions,
} from './types/requests.js';
export type { AdmissionHook, AdmissionRequest, SubresourceHandler, SubresourceRequest } from './types/hooks.js';
export type {
  Change, ObjectKey, ObjectStore, PersistedState, Persistence, StoreEvent, StoreList, StoreListQuery, StoreWatchQuery,
} from './types/store.js';
export type { ApiBackend, WatchHandle, WriteResult } from './types/backend.js';
export type { ResourceClient } from './types/client.js';
export type { AccessRequest, ApiServerOptions, Authenticator, Authorizer, TlsSettings, VersionInfo } from './types/server.js';
export {
  ApiError, alreadyExists, badRequest, conflict, expired, forbidden, invalid, isApiError, notFound, successStatus,
  tooLargeResourceVersion,
} from './errors.js';
export type { FieldError, Status, StatusCause, StatusDetails, StatusReason, Subject } from './errors.js';
