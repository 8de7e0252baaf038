/**
 * Names on the wire, as KubeEdge v1.12 to v1.23 uses them. They are facts of the protocol:
 * changing one breaks the conversation with CloudCore.
 */

/** Names of modules as they appear in `route.source` and as addresses on the bus. */
export const Modules = {
  edgeHub: 'websocket',
  metaManager: 'metamanager',
  edged: 'edged',
  deviceTwin: 'twin',
  eventBus: 'eventbus',
  serviceBus: 'servicebus',
  edgeStream: 'edgestream',
  taskManager: 'taskmanager',
  testManager: 'testManager',
  edgeMesh: 'edgemesh',
} as const;

/** Groups: on the bus the set of modules that get a copy, on the wire the routing class. */
export const Groups = {
  hub: 'hub',
  meta: 'meta',
  edged: 'edged',
  twin: 'twin',
  bus: 'bus',
  user: 'user',
  resource: 'resource',
  func: 'func',
  edgeStream: 'edgestream',
  taskManager: 'taskmanager',
  dynamicController: 'dynamiccontroller',
} as const;

/** `route.source` values of the cloud's components and of sources that are not modules. */
export const Sources = {
  edgeController: 'edgecontroller',
  deviceController: 'devicecontroller',
  dynamicController: 'dynamiccontroller',
  policyController: 'policycontroller',
  taskManager: 'taskmanager',
  cloudHub: 'cloudhub',
  routerEventBus: 'router_eventbus',
  routerServiceBus: 'router_servicebus',
  metaServer: 'metaserver',
  meta: 'meta',
  edgeHub: 'edgehub',
  bus: 'bus',
} as const;

/** `route.operation` values. */
export const Operations = {
  insert: 'insert',
  delete: 'delete',
  query: 'query',
  update: 'update',
  patch: 'patch',
  upload: 'upload',
  response: 'response',
  error: 'error',
  get: 'get',
  keepalive: 'keepalive',
  connect: 'connect',
  publish: 'publish',
  subscribe: 'subscribe',
  unsubscribe: 'unsubscribe',
  applicationResponse: 'applicationResponse',
  unholdUpgrade: 'unhold-upgrade',
  createVolume: 'createvolume',
  deleteVolume: 'deletevolume',
  controllerPublishVolume: 'controllerpublishvolume',
  controllerUnpublishVolume: 'controllerunpublishvolume',
  updateNodeActionStatus: 'UpdateNodeActionStatus',
} as const;

/** Resource types: the second segment of a resource path, lower-case and singular. */
export const ResourceTypes = {
  pod: 'pod',
  podPatch: 'podpatch',
  podStatus: 'podstatus',
  podList: 'podlist',
  node: 'node',
  nodePatch: 'nodepatch',
  nodeStatus: 'nodestatus',
  configMap: 'configmap',
  secret: 'secret',
  lease: 'lease',
  event: 'event',
  serviceAccountToken: 'serviceaccounttoken',
  serviceAccountAccess: 'serviceaccountaccess',
  persistentVolume: 'persistentvolume',
  persistentVolumeClaim: 'persistentvolumeclaim',
  volumeAttachment: 'volumeattachment',
  certificateSigningRequest: 'certificatesigningrequest',
  device: 'device',
  deviceModel: 'devicemodel',
  membership: 'membership',
  volume: 'volume',
} as const;

/** Namespace segment of cluster-scoped objects. */
export const CLUSTER_SCOPE = 'null';
/** Namespace of the node leases. */
export const LEASE_NAMESPACE = 'kube-node-lease';
/** `edgeHub.projectID` unless configured, first segment of the link's URL. */
export const DEFAULT_PROJECT_ID = 'e632aba927ea4ac2b575ec1603d56f10';
/** Content of an acknowledgement. */
export const OK = 'OK';
/** Resource of the connection notice that edgehub sends to groups. */
export const CONNECTION_RESOURCE = 'node/connection';
export const CLOUD_CONNECTED = 'cloud_connected';
export const CLOUD_DISCONNECTED = 'cloud_disconnected';
/** Resource of the query for the cluster's CA certificate. */
export const CLUSTER_CA_RESOURCE = 'k8s/ca.crt';
