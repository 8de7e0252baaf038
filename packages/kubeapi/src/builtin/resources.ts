import type { KubeObject } from '../types/object.js';
import type { ResourceType, SubresourceSpec, TableColumn, Verb } from '../types/resource.js';
import type { ResourceStrategy } from '../types/strategy.js';
import { at } from './columns.js';
import { POD_COLUMNS } from './pod-columns.js';
import { podStrategy } from './pod-strategy.js';
import {
  configMapStrategy, definitionStrategy, namespaceStrategy, nodeStrategy, pathNameStrategy, plainStrategy, secretStrategy, serviceStrategy,
  signingRequestStrategy, workloadStrategy,
} from './strategies.js';
import {
  CONFIG_MAP_COLUMNS, DAEMON_SET_COLUMNS, DEFINITION_COLUMNS, DEPLOYMENT_COLUMNS, ENDPOINT_SLICE_COLUMNS, ENDPOINTS_COLUMNS,
  EVENT_COLUMNS, JOB_COLUMNS, LEASE_COLUMNS, NAMESPACE_COLUMNS, NODE_COLUMNS, REPLICA_SET_COLUMNS, SECRET_COLUMNS,
  SERVICE_ACCOUNT_COLUMNS, SERVICE_COLUMNS, SIGNING_REQUEST_COLUMNS, STATEFUL_SET_COLUMNS,
} from './table-columns.js';

const ALL: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const CHANGE: readonly Verb[] = ['get', 'patch', 'update'];
const STATUS: SubresourceSpec = { name: 'status', verbs: CHANGE };
const SCALE: SubresourceSpec = { name: 'scale', verbs: CHANGE, kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' } };

interface Extra {
  short?: readonly string[];
  categories?: readonly string[];
  sub?: readonly SubresourceSpec[];
  columns?: readonly TableColumn[];
  fields?: Readonly<Record<string, string>>;
  strategy?: ResourceStrategy;
  cluster?: boolean;
  singular?: string;
}

/** Field selectors that read a path; a missing field reads as '', a boolean as text. */
function readers(fields: Readonly<Record<string, string>>): NonNullable<ResourceType['selectableFields']> {
  return Object.fromEntries(Object.entries(fields).map(([label, missing]) => [label, (object: KubeObject): string => {
    const value = at(object, ...label.split('.'));
    return value === undefined || value === null ? missing : String(value);
  }]));
}

function type(apiVersion: string, plural: string, kind: string, extra: Extra = {}): ResourceType {
  const slash = apiVersion.indexOf('/');
  return {
    group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), plural, kind,
    singular: extra.singular ?? kind.toLowerCase(), namespaced: extra.cluster !== true, verbs: ALL,
    ...(extra.short === undefined ? {} : { shortNames: extra.short }),
    ...(extra.categories === undefined ? {} : { categories: extra.categories }),
    ...(extra.sub === undefined ? {} : { subresources: extra.sub }),
    ...(extra.columns === undefined ? {} : { tableColumns: extra.columns }),
    ...(extra.fields === undefined ? {} : { selectableFields: readers(extra.fields) }),
    ...(extra.strategy === undefined ? {} : { strategy: extra.strategy }),
  };
}

const POD_SUBRESOURCES: readonly SubresourceSpec[] = [
  { name: 'binding', verbs: ['create'], kind: { group: '', version: 'v1', kind: 'Binding' } },
  { name: 'eviction', verbs: ['create'], kind: { group: 'policy', version: 'v1', kind: 'Eviction' } },
  { name: 'log', verbs: ['get'] },
  { name: 'exec', verbs: ['create', 'get'], kind: { group: '', version: 'v1', kind: 'PodExecOptions' } },
  { name: 'attach', verbs: ['create', 'get'], kind: { group: '', version: 'v1', kind: 'PodAttachOptions' } },
  { name: 'portforward', verbs: ['create', 'get'], kind: { group: '', version: 'v1', kind: 'PodPortForwardOptions' } },
  STATUS,
];
const POD_FIELDS = {
  'spec.nodeName': '', 'spec.restartPolicy': '', 'spec.schedulerName': '', 'spec.serviceAccountName': '', 'spec.hostNetwork': 'false',
  'status.phase': '', 'status.podIP': '', 'status.nominatedNodeName': '',
};
const EVENT_FIELDS = {
  'involvedObject.kind': '', 'involvedObject.namespace': '', 'involvedObject.name': '', 'involvedObject.uid': '', 'involvedObject.apiVersion': '',
  'involvedObject.resourceVersion': '', 'involvedObject.fieldPath': '', reason: '', reportingComponent: '', 'source.component': '', source: '', type: '',
};
const ROLLING = { type: 'RollingUpdate' };

/**
 * The kinds of Kubernetes that an edge cloud needs, with defaults, checks, columns and field selectors. Subresources
 * other than status and scale are listed here but served only where a handler is registered.
 */
export function builtinResources(): ResourceType[] {
  const all = ['all'];
  return [
    type('v1', 'pods', 'Pod', { short: ['po'], categories: all, sub: POD_SUBRESOURCES, columns: POD_COLUMNS, fields: POD_FIELDS, strategy: podStrategy }),
    type('v1', 'nodes', 'Node', { short: ['no'], cluster: true, sub: [STATUS, { name: 'proxy', verbs: ['create', 'delete', 'get', 'patch', 'update'], kind: { group: '', version: 'v1', kind: 'NodeProxyOptions' } }], columns: NODE_COLUMNS, fields: { 'spec.unschedulable': 'false' }, strategy: nodeStrategy }),
    type('v1', 'namespaces', 'Namespace', { short: ['ns'], cluster: true, sub: [STATUS, { name: 'finalize', verbs: ['update'] }], columns: NAMESPACE_COLUMNS, fields: { 'status.phase': '' }, strategy: namespaceStrategy }),
    type('v1', 'configmaps', 'ConfigMap', { short: ['cm'], columns: CONFIG_MAP_COLUMNS, strategy: configMapStrategy }),
    type('v1', 'secrets', 'Secret', { columns: SECRET_COLUMNS, fields: { type: '' }, strategy: secretStrategy }),
    type('v1', 'serviceaccounts', 'ServiceAccount', { short: ['sa'], sub: [{ name: 'token', verbs: ['create'], kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' } }], columns: SERVICE_ACCOUNT_COLUMNS }),
    type('v1', 'services', 'Service', { short: ['svc'], categories: all, sub: [STATUS], columns: SERVICE_COLUMNS, fields: { 'spec.clusterIP': '', 'spec.type': '' }, strategy: serviceStrategy }),
    type('v1', 'endpoints', 'Endpoints', { short: ['ep'], columns: ENDPOINTS_COLUMNS, singular: 'endpoints' }),
    type('v1', 'events', 'Event', { short: ['ev'], columns: EVENT_COLUMNS, fields: EVENT_FIELDS }),
    type('v1', 'persistentvolumes', 'PersistentVolume', { short: ['pv'], cluster: true, sub: [STATUS], strategy: plainStrategy }),
    type('v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', { short: ['pvc'], sub: [STATUS], strategy: plainStrategy }),
    type('v1', 'resourcequotas', 'ResourceQuota', { short: ['quota'], sub: [STATUS], strategy: plainStrategy }),
    type('v1', 'limitranges', 'LimitRange', { short: ['limits'], strategy: plainStrategy }),
    type('apps/v1', 'deployments', 'Deployment', { short: ['deploy'], categories: all, sub: [STATUS, SCALE], columns: DEPLOYMENT_COLUMNS, strategy: workloadStrategy({ replicas: 1, strategy: ROLLING, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 }) }),
    type('apps/v1', 'replicasets', 'ReplicaSet', { short: ['rs'], categories: all, sub: [STATUS, SCALE], columns: REPLICA_SET_COLUMNS, fields: { 'status.replicas': '0' }, strategy: workloadStrategy({ replicas: 1 }) }),
    type('apps/v1', 'daemonsets', 'DaemonSet', { short: ['ds'], categories: all, sub: [STATUS], columns: DAEMON_SET_COLUMNS, strategy: workloadStrategy({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } }, revisionHistoryLimit: 10 }) }),
    type('apps/v1', 'statefulsets', 'StatefulSet', { short: ['sts'], categories: all, sub: [STATUS, SCALE], columns: STATEFUL_SET_COLUMNS, strategy: workloadStrategy({ replicas: 1, podManagementPolicy: 'OrderedReady', updateStrategy: ROLLING, revisionHistoryLimit: 10 }) }),
    type('batch/v1', 'jobs', 'Job', { categories: all, sub: [STATUS], columns: JOB_COLUMNS, fields: { 'status.successful': '0' }, strategy: workloadStrategy({ completions: 1, parallelism: 1, backoffLimit: 6 }, { selector: false }) }),
    type('coordination.k8s.io/v1', 'leases', 'Lease', { columns: LEASE_COLUMNS, strategy: plainStrategy }),
    type('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice', { columns: ENDPOINT_SLICE_COLUMNS }),
    type('rbac.authorization.k8s.io/v1', 'roles', 'Role', { strategy: pathNameStrategy }),
    type('rbac.authorization.k8s.io/v1', 'rolebindings', 'RoleBinding', { strategy: pathNameStrategy }),
    type('rbac.authorization.k8s.io/v1', 'clusterroles', 'ClusterRole', { cluster: true, strategy: pathNameStrategy }),
    type('rbac.authorization.k8s.io/v1', 'clusterrolebindings', 'ClusterRoleBinding', { cluster: true, strategy: pathNameStrategy }),
    type('certificates.k8s.io/v1', 'certificatesigningrequests', 'CertificateSigningRequest', { short: ['csr'], cluster: true, sub: [STATUS, { name: 'approval', verbs: CHANGE }], columns: SIGNING_REQUEST_COLUMNS, fields: { 'spec.signerName': '' }, strategy: signingRequestStrategy }),
    type('apiextensions.k8s.io/v1', 'customresourcedefinitions', 'CustomResourceDefinition', { short: ['crd', 'crds'], categories: ['api-extensions'], cluster: true, sub: [STATUS], columns: DEFINITION_COLUMNS, strategy: definitionStrategy }),
  ];
}
