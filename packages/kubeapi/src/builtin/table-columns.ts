import { labelSelectorText } from '../selector/label-selector.js';
import type { KubeObject } from '../types/object.js';
import type { TableColumn } from '../types/resource.js';
import { AGE, ageText, at, column, countAt, listAt, NONE, numberAt, orNone, spanText, textAt, wide } from './columns.js';

function nodeStatus(node: KubeObject): string {
  const ready = listAt(node, 'status', 'conditions').find((c) => textAt(c, 'type') === 'Ready');
  const state = ready === undefined ? 'Unknown' : textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return at(node, 'spec', 'unschedulable') === true ? `${state},SchedulingDisabled` : state;
}

function nodeRoles(node: KubeObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.entries(node.metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(prefix) && key.length > prefix.length) return [key.slice(prefix.length)];
    return key === 'kubernetes.io/role' && value !== '' ? [value] : [];
  });
  return roles.length === 0 ? NONE : [...new Set(roles)].sort().join(',');
}

const address = (type: string) => (node: KubeObject): string =>
  orNone(at(listAt(node, 'status', 'addresses').find((a) => textAt(a, 'type') === type), 'address'));

export const NODE_COLUMNS: readonly TableColumn[] = [
  column('Status', nodeStatus),
  column('Roles', nodeRoles),
  AGE,
  column('Version', (node) => textAt(node, 'status', 'nodeInfo', 'kubeletVersion')),
  wide('Internal-IP', address('InternalIP')),
  wide('External-IP', address('ExternalIP')),
  wide('OS-Image', (node) => textAt(node, 'status', 'nodeInfo', 'osImage') || '<unknown>'),
  wide('Kernel-Version', (node) => textAt(node, 'status', 'nodeInfo', 'kernelVersion') || '<unknown>'),
  wide('Container-Runtime', (node) => textAt(node, 'status', 'nodeInfo', 'containerRuntimeVersion') || '<unknown>'),
];

const templateContainers = (field: string) => (object: KubeObject): string =>
  listAt(object, 'spec', 'template', 'spec', 'containers').map((c) => textAt(c, field)).join(',');
const selector = (object: KubeObject): string => {
  const value = at(object, 'spec', 'selector');
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0 ? labelSelectorText(value) : NONE;
};
const WORKLOAD_WIDE: readonly TableColumn[] = [wide('Containers', templateContainers('name')), wide('Images', templateContainers('image')), wide('Selector', selector)];
const count = (name: string, ...path: string[]): TableColumn => column(name, (object) => numberAt(object, ...path), 'integer');

export const DEPLOYMENT_COLUMNS: readonly TableColumn[] = [
  column('Ready', (d) => `${numberAt(d, 'status', 'readyReplicas')}/${numberAt(d, 'spec', 'replicas')}`),
  count('Up-to-date', 'status', 'updatedReplicas'),
  count('Available', 'status', 'availableReplicas'),
  AGE, ...WORKLOAD_WIDE,
];
export const REPLICA_SET_COLUMNS: readonly TableColumn[] = [
  count('Desired', 'spec', 'replicas'), count('Current', 'status', 'replicas'), count('Ready', 'status', 'readyReplicas'), AGE, ...WORKLOAD_WIDE,
];
export const STATEFUL_SET_COLUMNS: readonly TableColumn[] = [
  column('Ready', (s) => `${numberAt(s, 'status', 'readyReplicas')}/${numberAt(s, 'spec', 'replicas')}`), AGE, ...WORKLOAD_WIDE.slice(0, 2),
];
export const DAEMON_SET_COLUMNS: readonly TableColumn[] = [
  count('Desired', 'status', 'desiredNumberScheduled'), count('Current', 'status', 'currentNumberScheduled'), count('Ready', 'status', 'numberReady'),
  count('Up-to-date', 'status', 'updatedNumberScheduled'), count('Available', 'status', 'numberAvailable'),
  column('Node Selector', (d) => {
    const wanted = at(d, 'spec', 'template', 'spec', 'nodeSelector') as Record<string, string> | undefined;
    return wanted === undefined || Object.keys(wanted).length === 0 ? NONE : labelSelectorText({ matchLabels: wanted });
  }),
  AGE, ...WORKLOAD_WIDE,
];
export const JOB_COLUMNS: readonly TableColumn[] = [
  column('Status', (job) => {
    const on = (type: string): boolean => listAt(job, 'status', 'conditions').some((c) => textAt(c, 'type') === type && textAt(c, 'status') === 'True');
    return on('Complete') ? 'Complete' : on('Failed') ? 'Failed' : job.metadata.deletionTimestamp === undefined ? 'Running' : 'Terminating';
  }),
  column('Completions', (job) => `${numberAt(job, 'status', 'succeeded')}/${numberAt(job, 'spec', 'completions') || 1}`),
  column('Duration', (job, now) => {
    const start = Date.parse(textAt(job, 'status', 'startTime'));
    const end = Date.parse(textAt(job, 'status', 'completionTime'));
    return Number.isNaN(start) ? '' : spanText(((Number.isNaN(end) ? now.getTime() : end) - start) / 1000);
  }),
  AGE, ...WORKLOAD_WIDE,
];

export const SERVICE_COLUMNS: readonly TableColumn[] = [
  column('Type', (s) => textAt(s, 'spec', 'type')),
  column('Cluster-IP', (s) => orNone(at(s, 'spec', 'clusterIP'))),
  column('External-IP', (s) => {
    const given = [...listAt(s, 'spec', 'externalIPs'), ...listAt(s, 'status', 'loadBalancer', 'ingress').map((i) => at(i, 'ip') ?? at(i, 'hostname'))];
    if (textAt(s, 'spec', 'type') === 'ExternalName') return orNone(at(s, 'spec', 'externalName'));
    return given.length > 0 ? given.join(',') : textAt(s, 'spec', 'type') === 'LoadBalancer' ? '<pending>' : NONE;
  }),
  column('Port(s)', (s) => listAt(s, 'spec', 'ports').map((p) => {
    const nodePort = numberAt(p, 'nodePort');
    return `${numberAt(p, 'port')}${nodePort === 0 ? '' : `:${nodePort}`}/${textAt(p, 'protocol') || 'TCP'}`;
  }).join(',') || NONE),
  AGE, wide('Selector', selector),
];

function endpointsText(object: KubeObject): string {
  const all = listAt(object, 'subsets').flatMap((subset) => listAt(subset, 'addresses').flatMap((a) => {
    const ports = listAt(subset, 'ports');
    return ports.length === 0 ? [textAt(a, 'ip')] : ports.map((p) => `${textAt(a, 'ip')}:${numberAt(p, 'port')}`);
  }));
  return all.length === 0 ? NONE : all.length <= 3 ? all.join(',') : `${all.slice(0, 3).join(',')} + ${all.length - 3} more...`;
}
export const ENDPOINTS_COLUMNS: readonly TableColumn[] = [column('Endpoints', endpointsText), AGE];
export const ENDPOINT_SLICE_COLUMNS: readonly TableColumn[] = [
  column('AddressType', (s) => textAt(s, 'addressType')),
  column('Ports', (s) => listAt(s, 'ports').map((p) => numberAt(p, 'port')).join(',') || '<unset>'),
  column('Endpoints', (s) => listAt(s, 'endpoints').flatMap((e) => listAt(e, 'addresses')).join(',') || '<unset>'),
  AGE,
];

export const CONFIG_MAP_COLUMNS: readonly TableColumn[] = [column('Data', (c) => countAt(c, 'data', 'binaryData'), 'integer'), AGE];
export const SECRET_COLUMNS: readonly TableColumn[] = [column('Type', (s) => textAt(s, 'type')), column('Data', (s) => countAt(s, 'data'), 'integer'), AGE];
export const SERVICE_ACCOUNT_COLUMNS: readonly TableColumn[] = [column('Secrets', (s) => listAt(s, 'secrets').length, 'integer'), AGE];
export const NAMESPACE_COLUMNS: readonly TableColumn[] = [column('Status', (n) => textAt(n, 'status', 'phase')), AGE];
export const LEASE_COLUMNS: readonly TableColumn[] = [column('Holder', (l) => textAt(l, 'spec', 'holderIdentity')), AGE];
export const DEFINITION_COLUMNS: readonly TableColumn[] = [column('Created At', (d) => d.metadata.creationTimestamp, 'date')];

export const EVENT_COLUMNS: readonly TableColumn[] = [
  column('Last Seen', (e, now) => ageText(textAt(e, 'series', 'lastObservedTime') || textAt(e, 'lastTimestamp') || textAt(e, 'eventTime') || e.metadata.creationTimestamp, now)),
  column('Type', (e) => textAt(e, 'type')),
  column('Reason', (e) => textAt(e, 'reason')),
  column('Object', (e) => `${textAt(e, 'involvedObject', 'kind').toLowerCase()}/${textAt(e, 'involvedObject', 'name')}`),
  wide('Subobject', (e) => textAt(e, 'involvedObject', 'fieldPath')),
  wide('Source', (e) => [textAt(e, 'source', 'component') || textAt(e, 'reportingComponent'), textAt(e, 'source', 'host')].filter((t) => t !== '').join(', ')),
  column('Message', (e) => textAt(e, 'message').trim()),
  wide('First Seen', (e, now) => ageText(textAt(e, 'firstTimestamp') || textAt(e, 'eventTime') || e.metadata.creationTimestamp, now)),
  wide('Count', (e) => String(numberAt(e, 'series', 'count') || numberAt(e, 'count') || 1)),
];

export const SIGNING_REQUEST_COLUMNS: readonly TableColumn[] = [
  AGE,
  column('SignerName', (c) => orNone(at(c, 'spec', 'signerName'))),
  column('Requestor', (c) => textAt(c, 'spec', 'username')),
  column('RequestedDuration', (c) => (numberAt(c, 'spec', 'expirationSeconds') === 0 ? NONE : spanText(numberAt(c, 'spec', 'expirationSeconds')))),
  column('Condition', (c) => {
    const types = listAt(c, 'status', 'conditions').map((condition) => textAt(condition, 'type'));
    const state = types.includes('Denied') ? 'Denied' : types.includes('Approved') ? 'Approved' : 'Pending';
    return [state, ...(types.includes('Failed') ? ['Failed'] : []), ...(textAt(c, 'status', 'certificate') === '' ? [] : ['Issued'])].join(',');
  }),
];
