import { builtinResources, ResourceRegistry, type ResourceType } from '@edge/kubeapi';
import { metricsTypes } from '../metrics/objects.js';
import { kubeEdgeKinds } from './kubeedge-kinds.js';

const VOLUME_ATTACHMENTS: ResourceType = {
  group: 'storage.k8s.io', version: 'v1', plural: 'volumeattachments', singular: 'volumeattachment', kind: 'VolumeAttachment', namespaced: false,
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
};

/** Everything that this cloud serves before the first CustomResourceDefinition. */
export function createRegistry(): ResourceRegistry {
  return new ResourceRegistry([...builtinResources(), VOLUME_ATTACHMENTS, ...kubeEdgeKinds(), ...metricsTypes()]);
}
