import type { KubeObject, ResourceType, TableColumn, Verb } from '@edge/kubeapi';

const VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const STATUS = [{ name: 'status', verbs: ['get', 'patch', 'update'] as const }];

interface Extra {
  readonly cluster?: boolean;
  readonly status?: boolean;
  readonly shortNames?: readonly string[];
  readonly columns?: readonly TableColumn[];
}

/** A KubeEdge kind: kept as it comes, without a schema, like a custom resource that preserves unknown fields. */
function kind(apiVersion: string, plural: string, name: string, extra: Extra = {}): ResourceType {
  const [group = '', version = ''] = apiVersion.split('/');
  return {
    group, version, plural, kind: name, singular: name.toLowerCase(), namespaced: extra.cluster !== true, verbs: VERBS, custom: true,
    ...(extra.status === false ? {} : { subresources: STATUS }),
    ...(extra.shortNames ? { shortNames: extra.shortNames } : {}),
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
  const jobColumns = [text('Status', 'status', 'phase')];
  return [
    kind('devices.kubeedge.io/v1beta1', 'devices', 'Device', { columns: [text('Node', 'spec', 'nodeName'), text('Model', 'spec', 'deviceModelRef', 'name')] }),
    kind('devices.kubeedge.io/v1beta1', 'devicemodels', 'DeviceModel', { columns: [text('Protocol', 'spec', 'protocol')] }),
    kind('devices.kubeedge.io/v1beta1', 'devicestatuses', 'DeviceStatus'),
    kind('rules.kubeedge.io/v1', 'rules', 'Rule', { columns: [text('Source', 'spec', 'source'), text('Target', 'spec', 'target')] }),
    kind('rules.kubeedge.io/v1', 'ruleendpoints', 'RuleEndpoint', { shortNames: ['re'], status: false, columns: [text('Type', 'spec', 'ruleEndpointType')] }),
    ...['v1alpha1', 'v1alpha2'].flatMap((version) => [
      kind(`operations.kubeedge.io/${version}`, 'nodeupgradejobs', 'NodeUpgradeJob', { cluster: true, columns: jobColumns }),
      kind(`operations.kubeedge.io/${version}`, 'imageprepulljobs', 'ImagePrePullJob', { cluster: true, columns: jobColumns }),
    ]),
    kind('operations.kubeedge.io/v1alpha2', 'configupdatejobs', 'ConfigUpdateJob', { cluster: true, columns: jobColumns }),
    // The version a node holds is written in one step with the rest, so status is no part of its own here.
    kind('reliablesyncs.kubeedge.io/v1alpha1', 'objectsyncs', 'ObjectSync', { status: false, columns: syncColumns() }),
    kind('reliablesyncs.kubeedge.io/v1alpha1', 'clusterobjectsyncs', 'ClusterObjectSync', { status: false, cluster: true, columns: syncColumns() }),
    kind('policy.kubeedge.io/v1alpha1', 'serviceaccountaccesses', 'ServiceAccountAccess', { shortNames: ['saaccess'] }),
  ];
}

function syncColumns(): TableColumn[] {
  return [text('Kind', 'spec', 'objectKind'), text('Object', 'spec', 'objectName'), text('Version', 'status', 'objectResourceVersion')];
}
