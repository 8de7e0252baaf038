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
  Change, EarlierChange, ObjectKey, ObjectStore, PersistedState, Persistence, StoreEvent, StoreList, StoreListQuery, StoreWatchQuery,
} from './types/store.js';
export type { ApiBackend, WatchHandle, WriteResult } from './types/backend.js';
export type { ResourceClient } from './types/client.js';
export type { AccessRequest, ApiServerOptions, Authenticator, Authorizer, IncomingRequest, RequestHook, TlsSettings, VersionInfo } from './types/server.js';
export {
  ApiError, alreadyExists, badRequest, conflict, expired, forbidden, invalid, isApiError, notFound, successStatus,
  tooLargeResourceVersion,
} from './errors.js';
export type { FieldError, Status, StatusCause, StatusDetails, StatusReason, Subject } from './errors.js';
export { builtinResources } from './builtin/resources.js';
export { podState } from './builtin/pod-columns.js';
export { ageText, spanText } from './builtin/columns.js';
export { definitionErrors, typesOf } from './crd/definition.js';
export { KubeApi } from './engine/kube-api.js';
export type { KubeApiDeps } from './engine/kube-api.js';
export { ApiServer } from './http/server.js';
export type { ApiServerDeps } from './http/server.js';
export { apiVersionOf, parseApiVersion, ResourceRegistry, storageName } from './resource/registry.js';
export type { GroupInfo } from './resource/registry.js';
export { labelSelectorOf, labelSelectorText, matchesLabels, parseLabelSelector } from './selector/label-selector.js';
export type { LabelRequirement, Labels, LabelSelectorObject } from './selector/label-selector.js';
export { parseFieldSelector } from './selector/field-selector.js';
export type { FieldRequirement } from './selector/field-selector.js';
export { MemoryObjectStore } from './store/memory-store.js';
export type { MemoryObjectStoreOptions } from './store/memory-store.js';
export { respond, respondText } from './http/respond.js';
export { readBody } from './http/body.js';
export { decodeProtobuf, isProtobuf } from './protobuf/decode.js';
export { GarbageCollector } from './collector/garbage-collector.js';
export type { LocalApi } from './engine/client.js';
export type { CommandStreams } from './streams/remote-command.js';
export { refusal } from './streams/upgrade-answer.js';
export { bridgeWebSocket, needsBridge } from './streams/web-socket-bridge.js';
export type { BridgeInput } from './streams/web-socket-bridge.js';
