import { isFields, strategicMerge } from '@edge/protocol';
import { ApiError, badRequest } from '../errors.js';
import type { KubeObject } from '../types/object.js';
import type { PatchRequest } from '../types/requests.js';
import type { ResourceType } from '../types/resource.js';
import { jsonPatch } from './json-patch.js';
import { mergePatch } from './merge-patch.js';

/** The object that a patch makes of `current`; `current` stays as it is. Not yet checked in any way. */
export function applyPatchTo(type: ResourceType, current: KubeObject, patch: PatchRequest): unknown {
  switch (patch.type) {
    case 'json': return jsonPatch(current, patch.body);
    case 'merge': return mergePatch(current, bodyOf(patch));
    case 'strategic':
      if (type.custom === true) {
        throw new ApiError('UnsupportedMediaType', `${type.plural}.${type.group} is a custom resource: use a merge patch (application/merge-patch+json) or a JSON patch`);
      }
      return strategic(current, bodyOf(patch));
    // Lists of custom resources have no merge keys, so applying replaces them.
    case 'apply': return type.custom === true ? mergePatch(current, bodyOf(patch)) : strategic(current, bodyOf(patch));
  }
}

function bodyOf(patch: PatchRequest): Record<string, unknown> {
  if (!isFields(patch.body)) throw badRequest(`the body of a ${patch.type} patch must be an object`);
  return patch.body;
}

function strategic(current: KubeObject, patch: Record<string, unknown>): unknown {
  try {
    return strategicMerge(current, patch);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'protocol.patch') throw new ApiError('BadRequest', cause.message, {}, { cause });
    throw cause;
  }
}
