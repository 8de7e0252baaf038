import type { KubeObject, ResourceType, StructuralSchema, TableColumn, Verb } from '@edge/kubeapi';
import { JOBS_GROUP } from '../jobs/job-kinds.js';
import type { StoredJob } from '../jobs/types.js';
import { DEVICE_API, type StoredDeviceStatus } from '../objects.js';
import { configUpdateJobSchema, imagePrePullJobSchema, nodeUpgradeJobSchema } from './job-schemas.js';
import { ruleEndpointSchema, ruleSchema } from './rule-schemas.js';
import { deviceModelSchema, deviceSchema, deviceStatusSchema } from './device-schemas.js';

const VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const STATUS = [{ name: 'status', verbs: ['get', 'patch', 'update'] as const }];

interface Extra {
  readonly cluster?: boolean;
  readonly status?: boolean;
  readonly shortNames?: readonly string[];
  readonly columns?: readonly TableColumn[];
  readonly schema?: StructuralSchema;
}

/** A KubeEdge kind. Without a schema it is kept as it comes, like a custom resource that preserves unknown fields. */
function kind(apiVersion: string, plural: string, name: string, extra: Extra = {}): ResourceType {
  const [group = '', version = ''] = apiVersion.split('/');
  return {
    group, version, plural, kind: name, singular: name.toLowerCase(), namespaced: extra.cluster !== true, verbs: VERBS, custom: true,
    ...(extra.status === false ? {} : { subresources: STATUS }),
    ...(extra.shortNames ? { shortNames: extra.shortNames } : {}),
    ...(extra.schema ? { schema: extra.schema } : {}),
    ...(extra.columns ? { tableColumns: [...extra.columns, AGE] } : {}),
  };
}

const text = (name: string, ...path: string[]): TableColumn => ({ name, type: 'string', value: (object) => read(object, path) });

function read(object: KubeObject, path: readonly string[]): string {
  let value: unknown = object;
  for (const step of path) value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  return value === undefined || value === null ? '' : String(value);
}

const AGE: TableColumn = { name: 'Age', type: 'date', value: (object) => object.metadata.creationTimestamp };

/** The kinds that KubeEdge adds to a cluster. */
export function kubeEdgeKinds(): ResourceType[] {
  return [
    // As in KubeEdge's definitions, status is no part of its own in any of the three.
    kind(DEVICE_API, 'devices', 'Device', {
      status: false, schema: deviceSchema,
      columns: [text('Node', 'spec', 'nodeName'), text('Model', 'spec', 'deviceModelRef', 'name'), text('Protocol', 'spec', 'protocol', 'protocolName')],
    }),
    kind(DEVICE_API, 'devicemodels', 'DeviceModel', { status: false, schema: deviceModelSchema, columns: [text('Protocol', 'spec', 'protocol')] }),
    kind(DEVICE_API, 'devicestatuses', 'DeviceStatus', {
      status: false, schema: deviceStatusSchema,
      columns: [text('State', 'status', 'state'), { name: 'Reported', type: 'string', value: reportedValues }, text('Last Online', 'status', 'lastOnlineTime')],
    }),
    kind('rules.kubeedge.io/v1', 'rules', 'Rule', { schema: ruleSchema, columns: [text('Source', 'spec', 'source'), text('Target', 'spec', 'target'), text('Arrived', 'status', 'successMessages'), text('Failed', 'status', 'failMessages')] }),
    kind('rules.kubeedge.io/v1', 'ruleendpoints', 'RuleEndpoint', { shortNames: ['re'], status: false, schema: ruleEndpointSchema, columns: [text('Type', 'spec', 'ruleEndpointType')] }),
    ...jobs('nodeupgradejobs', 'NodeUpgradeJob', nodeUpgradeJobSchema, ['v1alpha1', 'v1alpha2']),
    ...jobs('imageprepulljobs', 'ImagePrePullJob', imagePrePullJobSchema, ['v1alpha1', 'v1alpha2']),
    ...jobs('configupdatejobs', 'ConfigUpdateJob', configUpdateJobSchema, ['v1alpha2']),
    // The version a node holds is written in one step with the rest, so status is no part of its own here.
    kind('reliablesyncs.kubeedge.io/v1alpha1', 'objectsyncs', 'ObjectSync', { status: false, columns: syncColumns() }),
    kind('reliablesyncs.kubeedge.io/v1alpha1', 'clusterobjectsyncs', 'ClusterObjectSync', { status: false, cluster: true, columns: syncColumns() }),
    kind('policy.kubeedge.io/v1alpha1', 'serviceaccountaccesses', 'ServiceAccountAccess', { shortNames: ['saaccess'] }),
  ];
}

/** A kind of node job: its versions share their objects; v1alpha1 is kept as it comes. */
function jobs(plural: string, name: string, schema: StructuralSchema, versions: readonly string[]): ResourceType[] {
  const columns: TableColumn[] = [
    { name: 'Status', type: 'string', value: (object) => read(object, ['status', 'phase']) || read(object, ['status', 'state']) },
    { name: 'Nodes', type: 'string', description: 'Nodes that are done, of all.', value: doneNodes },
    { name: 'Reason', type: 'string', priority: 1, value: (object) => read(object, ['status', 'reason']) },
  ];
  return versions.map((version) => kind(`${JOBS_GROUP}/${version}`, plural, name, { cluster: true, columns, ...(version === 'v1alpha1' ? {} : { schema }) }));
}

function doneNodes(object: KubeObject): string {
  const tasks = (object as StoredJob).status?.nodeStatus;
  if (!tasks) return '';
  return `${tasks.filter(({ phase }) => phase !== 'Pending' && phase !== 'InProgress').length}/${tasks.length}`;
}

/** So much of a device's values fits into a line. */
const VALUES_WIDTH = 60;

/** `label=a,temperature=24`, as far as it fits; by name, for the order of the twins is that of their first reports. */
function reportedValues(object: KubeObject): string {
  const twins = (object as unknown as StoredDeviceStatus).status?.twins ?? [];
  const all = twins.map((twin) => `${twin.propertyName}=${twin.reported?.value ?? ''}`).sort().join(',');
  return all.length > VALUES_WIDTH ? `${all.slice(0, VALUES_WIDTH - 1)}…` : all;
}

function syncColumns(): TableColumn[] {
  return [text('Kind', 'spec', 'objectKind'), text('Object', 'spec', 'objectName'), text('Version', 'status', 'objectResourceVersion')];
}
