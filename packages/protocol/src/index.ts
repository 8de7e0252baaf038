export { hostPort } from './address.js';
export { decodeMessage, encodeJson, encodeMessage } from './codec.js';
export { isFields, sameData, timestamp } from './data.js';
export type { Fields } from './data.js';
export { ProtocolError } from './errors.js';
export { defineKind, isKind } from './kind.js';
export type { MessageKind, MessagePattern } from './kind.js';
export { createErrorResponse, createMessage, createResponse } from './message.js';
export type { Message, MessageHeader, MessageRoute, NewMessage } from './message.js';
export {
  CLOUD_CONNECTED,
  CLOUD_DISCONNECTED,
  CLUSTER_CA_RESOURCE,
  CLUSTER_SCOPE,
  CONNECTION_RESOURCE,
  DEFAULT_PROJECT_ID,
  Groups,
  LEASE_NAMESPACE,
  Modules,
  OK,
  Operations,
  ResourceTypes,
  Sources,
} from './names.js';
export { resourceTopic, topicResource } from './mqtt-topic.js';
export { readActionStatus } from './node-jobs/action-status.js';
export type { ActionStatus, ImageStatus } from './node-jobs/action-status.js';
export { flowStep, nextAction, NODE_JOB_FLOWS } from './node-jobs/flow.js';
export type { FlowStep } from './node-jobs/flow.js';
export { isNodeJobType, NODE_JOBS_API, NodeJobActions, NodeJobTypes } from './node-jobs/names.js';
export type { NodeJobAction, NodeJobType } from './node-jobs/names.js';
export { formatNodeJob, isNodeJobResource, parseNodeJob } from './node-jobs/resource.js';
export type { NodeJobResource } from './node-jobs/resource.js';
export { TaskStates, TaskTypes } from './node-jobs/task.js';
export type { NodeTaskRequest, NodeTaskResponse, TaskImageStatus, TaskState } from './node-jobs/task.js';
export type { ConfigMap, Secret } from './objects/config.js';
export type { ConfigData, Device, DeviceModel, DevicePropertySpec, DeviceProtocol, DeviceStatus, TwinValue } from './objects/device.js';
export type { KubeObject, ObjectMeta, OwnerReference, Status } from './objects/meta.js';
export type { KubeNode, Lease, NodeAddress, NodeCondition, NodeStatus, Taint } from './objects/node.js';
export type {
  Container,
  ContainerState,
  ContainerStateRunning,
  ContainerStateTerminated,
  ContainerStateWaiting,
  ContainerStatus,
  EnvFromSource,
  EnvVar,
  EphemeralContainer,
  ExecAction,
  HttpGetAction,
  IntOrString,
  KeyToPath,
  LifecycleHandler,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  Pod,
  PodCondition,
  PodPhase,
  PodSecurityContext,
  PodSpec,
  PodStatus,
  Probe,
  ProfileSource,
  SecurityContext,
  SelinuxContext,
  TcpSocketAction,
  Volume,
  VolumeMount,
} from './objects/pod.js';
export { podHasVanished } from './pod-vanished.js';
export { errorStatus, isErrorContent, isLostError, isObjectResponse, objectResponseContent, readObjectResponse } from './replies.js';
export type { ObjectResponse } from './replies.js';
export { formatResource, parseResource, resourceType } from './resource.js';
export type { ResourcePath } from './resource.js';
export { createStrategicPatch } from './strategic-merge/diff.js';
export { strategicMerge } from './strategic-merge/merge.js';
export { kubernetesMergeRules } from './strategic-merge/rules.js';
export type { MergeRule, MergeRules } from './strategic-merge/rules.js';
export { deviceAttrTable, deviceTable, deviceTwinTable, metaTable, metaV2Table, subTopicsTable, targetUrlsTable } from './tables.js';
export type {
  DeviceAttrRow,
  DeviceRow,
  DeviceTwinRow,
  MetaRow,
  MetaV2Row,
  SubTopicRow,
  TargetUrlRow,
  UpstreamTable,
} from './tables.js';
export { decodeConnect, encodeConnect } from './tunnel/connect.js';
export type { ConnectRequest } from './tunnel/connect.js';
export { decodeFrame, encodeFrame, FrameTypes, MAX_FRAME_DATA } from './tunnel/frame.js';
export type { Frame } from './tunnel/frame.js';
export { PROTOCOL_VERSION } from './version.js';
