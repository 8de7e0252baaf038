import { ApiError, forbidden, type AdmissionHook, type FieldError, invalid, type KubeObject, notFound, type ObjectStore } from '@edge/kubeapi';
import { isFields } from '@edge/protocol';
import { DEVICE_MODELS, DEVICES, type StoredDevice, type StoredNode, type StoredPod, type StoredService } from '../objects.js';

/** Key of the taint on a node that is not ready, and of the one on a node that is not heard of. */
export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';

const TOLERATED_SECONDS = 300;

/** What a cluster's admission plug-ins do to pods. No volume with a service account token is added. */
export const podDefaults: AdmissionHook = {
  name: 'pod-defaults', resources: ['pods'], operations: ['create'],
  mutate({ object }) {
    const { spec, metadata } = object as unknown as StoredPod;
    // The check of the object, which comes after this, says what is wrong.
    if (!isFields(spec)) return;
    spec.serviceAccountName ||= 'default';
    spec['serviceAccount'] = spec.serviceAccountName;
    spec.priority ??= 0;
    spec['preemptionPolicy'] ??= 'PreemptLowerPriority';
    spec.tolerations ??= [];
    for (const key of [NOT_READY, UNREACHABLE]) {
      const covered = spec.tolerations.some((t) => (t.key === key || (t.key ?? '') === '') && (t.effect === 'NoExecute' || (t.effect ?? '') === ''));
      if (!covered) spec.tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: TOLERATED_SECONDS });
    }
    delete metadata.deletionTimestamp;
  },
};

/** A new node carries a taint until it is known to be ready. */
export const nodeTaint: AdmissionHook = {
  name: 'node-taint', resources: ['nodes'], operations: ['create'],
  mutate({ object }) {
    const node = object as unknown as StoredNode;
    node.spec ??= {};
    const taints = node.spec.taints ?? [];
    if (!taints.some((taint) => taint.key === NOT_READY)) node.spec.taints = [...taints, { key: NOT_READY, effect: 'NoSchedule' }];
  },
};

/** Nothing is created in a namespace that is not there or is about to go; the namespaces of the system stay. */
export function namespaceRules(store: () => ObjectStore): AdmissionHook {
  return {
    name: 'namespaces',
    validate({ operation, type, ref, object }) {
      const subject = { resource: type.plural, group: type.group, name: ref.name ?? object?.metadata.name ?? '' };
      if (operation === 'delete' && type.group === '' && type.plural === 'namespaces' && SYSTEM_NAMESPACES.includes(ref.name ?? '')) {
        throw forbidden(subject, 'this namespace may not be deleted');
      }
      if (operation !== 'create' || !type.namespaced) return;
      const name = object?.metadata.namespace ?? ref.namespace ?? '';
      const namespace = store().get({ resource: 'namespaces', namespace: '', name });
      if (!namespace) throw notFound({ resource: 'namespaces', group: '', name });
      if (namespace.metadata.deletionTimestamp !== undefined) throw forbidden(subject, `namespace ${name} is being deleted`);
    },
  };
}

export const SYSTEM_NAMESPACES: readonly string[] = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Gives a service an address of its own. Nothing listens there: it is what clients and DNS expect to find. */
export function serviceAddresses(store: () => ObjectStore): AdmissionHook {
  return {
    name: 'service-addresses', resources: ['services'], operations: ['create'],
    mutate({ object }) {
      const { spec } = object as unknown as StoredService;
      if (!spec || spec.type === 'ExternalName') return;
      if (!spec.clusterIP) spec.clusterIP = freeAddress(store().list({ resource: 'services' }).items);
      spec.clusterIPs ??= [spec.clusterIP];
    },
  };
}

/** The first free address of 10.96.0.0/16, after the one of the API itself. */
function freeAddress(services: readonly KubeObject[]): string {
  const taken = new Set(services.map((service) => (service as unknown as StoredService).spec.clusterIP));
  for (let number = 2; number < 65_534; number += 1) {
    const address = `10.96.${number >> 8}.${number & 255}`;
    if (!taken.has(address)) return address;
  }
  throw new ApiError('InternalError', 'all addresses of 10.96.0.0/16 are taken');
}

/** Properties and methods of a device, and properties of a model, each have a name of their own. */
export const deviceRules: AdmissionHook = {
  name: 'devices', resources: [DEVICES, DEVICE_MODELS], operations: ['create', 'update'],
  validate({ type, object }) {
    if (!object) return;
    const { properties, methods } = (object as unknown as Partial<StoredDevice>).spec ?? {};
    const errors = [...repeatedNames('spec.properties', properties), ...repeatedNames('spec.methods', methods)];
    if (errors.length > 0) throw invalid({ kind: type.kind, group: type.group, name: object.metadata.name }, errors);
  },
};

function repeatedNames(field: string, items: readonly { name?: string }[] = []): FieldError[] {
  const seen = new Set<string>();
  return items.flatMap(({ name = '' }, index): FieldError[] => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ reason: 'FieldValueDuplicate', field: `${field}[${index}].name`, message: `"${name}" is there twice` }];
  });
}
