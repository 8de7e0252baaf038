import { isFields, timestamp } from '@edge/protocol';
import { badRequest, invalid } from '../errors.js';
import { labelSelectorText } from '../selector/label-selector.js';
import type { KubeObject } from '../types/object.js';
import type { ResourceType, ScalePaths } from '../types/resource.js';
import { copyData, readPath, writePath } from './data.js';

const PATHS: ScalePaths = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.spec.selector' };

export const hasScale = (type: ResourceType): boolean => (type.subresources ?? []).some((sub) => sub.name === 'scale');

/** The `autoscaling/v1` Scale of an object. */
export function scaleOf(type: ResourceType, object: KubeObject): KubeObject {
  const paths = type.scale ?? PATHS;
  const selector = paths.labelSelectorPath === undefined ? undefined : readPath(object, paths.labelSelectorPath);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    apiVersion: 'autoscaling/v1', kind: 'Scale',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp: creationTimestamp ?? timestamp(0) },
    spec: { replicas: numberAt(object, paths.specReplicasPath) },
    status: {
      replicas: numberAt(object, paths.statusReplicasPath),
      ...(selector === undefined ? {} : { selector: typeof selector === 'string' ? selector : labelSelectorText(selector as object) }),
    },
  };
}

/** A copy of the object with the replicas that a Scale asks for. Throws BadRequest or Invalid. */
export function withScale(type: ResourceType, object: KubeObject, scale: unknown): KubeObject {
  if (!isFields(scale) || (scale.spec !== undefined && !isFields(scale.spec))) throw badRequest('the body must be a Scale');
  const replicas = isFields(scale.spec) ? scale.spec.replicas ?? 0 : 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    throw invalid({ kind: 'Scale', group: 'autoscaling', name: object.metadata.name }, [{ reason: 'FieldValueInvalid', field: 'spec.replicas', message: 'must be an integer of at least 0' }]);
  }
  const next = copyData(object);
  writePath(next, (type.scale ?? PATHS).specReplicasPath, replicas);
  const version = isFields(scale.metadata) ? scale.metadata.resourceVersion : undefined;
  next.metadata.resourceVersion = typeof version === 'string' ? version : '';
  return next;
}

function numberAt(object: KubeObject, path: string): number {
  const value = readPath(object, path);
  return typeof value === 'number' ? value : 0;
}
