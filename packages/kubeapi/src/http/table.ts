import { AGE, ageText } from '../builtin/columns.js';
import type { KubeList, KubeObject } from '../types/object.js';
import type { ResourceType, TableColumn } from '../types/resource.js';

/** How much of each object travels with its row. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** `kind: Table` of objects of one type. */
export function tableOf(
  type: ResourceType | undefined, objects: readonly KubeObject[], listMetadata: object,
  options: { include: IncludeObject; version: string; now: Date },
): object {
  const columns = type?.tableColumns ?? [AGE];
  return {
    kind: 'Table', apiVersion: `meta.k8s.io/${options.version}`, metadata: listMetadata,
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name', description: 'Name of the object', priority: 0 },
      ...columns.map((column) => ({ name: column.name, type: column.type === 'date' ? 'string' : column.type, format: column.format ?? '', description: column.description ?? '', priority: column.priority ?? 0 })),
    ],
    rows: objects.map((object) => ({
      cells: [object.metadata.name, ...columns.map((column) => cell(column, object, options.now))],
      ...(options.include === 'None' ? {} : { object: options.include === 'Object' ? object : partialOf(object, options.version) }),
    })),
  };
}

function cell(column: TableColumn, object: KubeObject, now: Date): string | number | boolean | null {
  const value = column.value(object, now);
  if (value === undefined) return null;
  return column.type === 'date' && column.name !== 'Created At' ? ageText(value, now) : value;
}

/** Metadata only, as `PartialObjectMetadata`. */
export function partialOf(object: KubeObject, version: string): object {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

export function partialListOf(list: KubeList, version: string): object {
  return {
    kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${version}`, metadata: list.metadata,
    items: list.items.map((item) => partialOf(item, version)),
  };
}
