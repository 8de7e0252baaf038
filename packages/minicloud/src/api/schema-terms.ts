import type { StructuralSchema } from '@edge/kubeapi';

/** Words to describe fields with. */

export const text = (description?: string): StructuralSchema => ({ type: 'string', ...(description ? { description } : {}) });
export const number = (description?: string): StructuralSchema => ({ type: 'integer', ...(description ? { description } : {}) });
export const flag = (description?: string): StructuralSchema => ({ type: 'boolean', ...(description ? { description } : {}) });
export const object = (properties: Record<string, StructuralSchema>, description?: string, required?: string[]): StructuralSchema => ({
  type: 'object', properties, ...(description ? { description } : {}), ...(required ? { required } : {}),
});
export const list = (items: StructuralSchema, description?: string): StructuralSchema => ({ type: 'array', items, ...(description ? { description } : {}) });
export const anything = (description: string): StructuralSchema => ({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true, description });
export const texts = (description: string): StructuralSchema => ({ type: 'object', additionalProperties: { type: 'string' }, description });
