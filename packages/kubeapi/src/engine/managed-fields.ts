import { isFields, timestamp, type Fields } from '@edge/protocol';
import { apiVersionOf } from '../resource/registry.js';
import type { WriteOptions } from '../types/requests.js';
import type { ResourceType } from '../types/resource.js';

/**
 * Notes who applied. Which fields belong to whom is not recorded (`fieldsV1` stays empty), so there are no conflicts
 * between managers and no removal of fields that left the applied configuration.
 */
export function recordApply(draft: Fields, type: ResourceType, options: WriteOptions, now: Date): Fields {
  const metadata = isFields(draft.metadata) ? draft.metadata : {};
  const others = Array.isArray(metadata.managedFields) ? metadata.managedFields.filter((entry) => isFields(entry) && entry.manager !== options.fieldManager) : [];
  const entry = {
    manager: options.fieldManager ?? 'unknown', operation: 'Apply', apiVersion: apiVersionOf(type), time: timestamp(now.getTime()), fieldsType: 'FieldsV1', fieldsV1: {},
  };
  return { ...draft, metadata: { ...metadata, managedFields: [...others, entry] } };
}
