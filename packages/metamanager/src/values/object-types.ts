import type { KubeObject } from '@edge/protocol';

/** What the type segment of a resource says about an object. */
export interface ObjectType {
  readonly kind: string;
  readonly apiVersion: string;
}

/** Types whose kind is known without looking into the object: pushes may come without kind and apiVersion. */
const TYPES: Readonly<Record<string, ObjectType>> = {
  pod: { kind: 'Pod', apiVersion: 'v1' },
  node: { kind: 'Node', apiVersion: 'v1' },
  configmap: { kind: 'ConfigMap', apiVersion: 'v1' },
  secret: { kind: 'Secret', apiVersion: 'v1' },
  service: { kind: 'Service', apiVersion: 'v1' },
  endpoints: { kind: 'Endpoints', apiVersion: 'v1' },
  namespace: { kind: 'Namespace', apiVersion: 'v1' },
  serviceaccount: { kind: 'ServiceAccount', apiVersion: 'v1' },
  persistentvolume: { kind: 'PersistentVolume', apiVersion: 'v1' },
  persistentvolumeclaim: { kind: 'PersistentVolumeClaim', apiVersion: 'v1' },
  volumeattachment: { kind: 'VolumeAttachment', apiVersion: 'storage.k8s.io/v1' },
  certificatesigningrequest: { kind: 'CertificateSigningRequest', apiVersion: 'certificates.k8s.io/v1' },
  lease: { kind: 'Lease', apiVersion: 'coordination.k8s.io/v1' },
  endpointslice: { kind: 'EndpointSlice', apiVersion: 'discovery.k8s.io/v1' },
  device: { kind: 'Device', apiVersion: 'devices.kubeedge.io/v1beta1' },
  devicemodel: { kind: 'DeviceModel', apiVersion: 'devices.kubeedge.io/v1beta1' },
  serviceaccountaccess: { kind: 'ServiceAccountAccess', apiVersion: 'policy.kubeedge.io/v1alpha1' },
};

/** Kind and apiVersion by type segment, undefined for types that only the object itself can name. */
export function objectType(type: string): ObjectType | undefined {
  return Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
}

/** The object with kind and apiVersion; those it carries win. The very same object when nothing was missing or is known. */
export function completeObject(type: string, object: KubeObject): KubeObject {
  if (object.kind && object.apiVersion) return object;
  const known = objectType(type);
  if (!known) return object;
  const { kind, apiVersion, ...rest } = object;
  return { kind: kind || known.kind, apiVersion: apiVersion || known.apiVersion, ...rest } as KubeObject;
}
