import { isFields } from '@edge/protocol';
import { compileJsonPath } from './json-path.js';
import type { FieldError } from '../errors.js';
import type { KubeObject } from '../types/object.js';
import type { ResourceType, SubresourceSpec, TableColumn, Verb } from '../types/resource.js';
import type { StructuralSchema } from '../types/schema.js';

const VERBS: readonly Verb[] = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
const WRITES: readonly Verb[] = ['get', 'update', 'patch'];
const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

interface Column {
  name: string;
  type: string;
  jsonPath: string;
  format?: string;
  description?: string;
  priority?: number;
}

interface Version {
  name: string;
  served: boolean;
  storage: boolean;
  deprecated?: boolean;
  deprecationWarning?: string;
  schema?: { openAPIV3Schema?: StructuralSchema };
  subresources?: { status?: object; scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string } };
  additionalPrinterColumns?: Column[];
  selectableFields?: { jsonPath: string }[];
}

export interface DefinitionSpec {
  group: string;
  scope: 'Namespaced' | 'Cluster';
  names: { plural: string; singular?: string; kind: string; listKind?: string; shortNames?: string[]; categories?: string[] };
  versions: Version[];
  preserveUnknownFields?: boolean;
}

/** The spec of a definition that has passed `definitionErrors`. */
export function readDefinition(definition: KubeObject): DefinitionSpec {
  return definition.spec as DefinitionSpec;
}

/** What keeps a CustomResourceDefinition from being served. */
export function definitionErrors(definition: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const need = (ok: boolean, field: string, message: string): void => {
    if (!ok) errors.push({ reason: 'FieldValueInvalid', field, message });
  };
  const spec = definition.spec;
  if (!isFields(spec)) return [{ reason: 'FieldValueRequired', field: 'spec', message: 'is required' }];
  const names = isFields(spec.names) ? spec.names : {};
  need(typeof spec.group === 'string' && spec.group.includes('.'), 'spec.group', 'must be a domain name with at least one dot');
  need(spec.scope === 'Namespaced' || spec.scope === 'Cluster', 'spec.scope', 'must be Namespaced or Cluster');
  for (const field of ['plural', 'kind']) need(typeof names[field] === 'string' && names[field] !== '', `spec.names.${field}`, 'is required');
  for (const field of ['shortNames', 'categories']) need(names[field] === undefined || isTextList(names[field]), `spec.names.${field}`, 'must be a list of text');
  need(definition.metadata.name === `${String(names.plural)}.${String(spec.group)}`, 'metadata.name', `must be spec.names.plural, a dot and spec.group (${String(names.plural)}.${String(spec.group)})`);
  const versions = Array.isArray(spec.versions) ? spec.versions : [];
  need(versions.length > 0 && versions.every((v) => isFields(v) && typeof v.name === 'string'), 'spec.versions', 'must name at least one version');
  need(versions.filter((v) => isFields(v) && v.storage === true).length === 1, 'spec.versions', 'exactly one version must have storage: true');
  versions.forEach((version, i) => {
    if (!isFields(version)) return;
    const columns = version.additionalPrinterColumns;
    const fine = columns === undefined || (Array.isArray(columns) && columns.every((c) => isFields(c) && typeof c.name === 'string' && typeof c.jsonPath === 'string'));
    need(fine, `spec.versions[${i}].additionalPrinterColumns`, 'every column needs name, type and jsonPath');
    const fields = version.selectableFields;
    need(fields === undefined || (Array.isArray(fields) && fields.every((f) => isFields(f) && typeof f.jsonPath === 'string')), `spec.versions[${i}].selectableFields`, 'every field needs jsonPath');
    need(version.schema === undefined || isFields(version.schema), `spec.versions[${i}].schema`, 'must be an object');
  });
  return errors;
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** The types of all served versions of a definition. */
export function typesOf(definition: KubeObject): ResourceType[] {
  const spec = readDefinition(definition);
  return spec.versions.filter((version) => version.served !== false).map((version) => typeOf(spec, version));
}

function typeOf(spec: DefinitionSpec, version: Version): ResourceType {
  const { names } = spec;
  const subresources: SubresourceSpec[] = [];
  if (version.subresources?.status !== undefined) subresources.push({ name: 'status', verbs: WRITES });
  if (version.subresources?.scale !== undefined) subresources.push({ name: 'scale', verbs: WRITES, kind: SCALE });
  const schema = version.schema?.openAPIV3Schema;
  return {
    group: spec.group, version: version.name, plural: names.plural, singular: names.singular ?? names.kind.toLowerCase(), kind: names.kind,
    namespaced: spec.scope === 'Namespaced', verbs: VERBS, subresources, custom: true,
    ...(names.listKind === undefined ? {} : { listKind: names.listKind }),
    ...(names.shortNames === undefined ? {} : { shortNames: names.shortNames }),
    ...(names.categories === undefined ? {} : { categories: names.categories }),
    ...(version.subresources?.scale === undefined ? {} : { scale: version.subresources.scale }),
    ...(schema === undefined || spec.preserveUnknownFields === true ? {} : { schema }),
    ...(version.additionalPrinterColumns === undefined ? {} : { tableColumns: version.additionalPrinterColumns.map(columnOf) }),
    ...(version.selectableFields === undefined ? {} : { selectableFields: Object.fromEntries(version.selectableFields.map(selectable)) }),
    ...(version.deprecated === true ? { deprecationWarning: version.deprecationWarning ?? `${spec.group}/${version.name} ${names.kind} is deprecated` } : {}),
  };
}

/** A field that objects can be selected by: named like its path, without the first dot. */
function selectable({ jsonPath }: { jsonPath: string }): [string, (object: KubeObject) => string] {
  const find = compileJsonPath(jsonPath);
  return [jsonPath.replace(/^\./, ''), (object) => cellOf('string', find?.(object)[0])?.toString() ?? ''];
}

const COLUMN_TYPES = ['string', 'integer', 'number', 'boolean', 'date'] as const;

function columnOf(column: Column): TableColumn {
  const type = COLUMN_TYPES.find((name) => name === column.type) ?? 'string';
  const find = compileJsonPath(column.jsonPath);
  return {
    name: column.name, type,
    ...(column.format === undefined ? {} : { format: column.format }),
    ...(column.description === undefined ? {} : { description: column.description }),
    ...(column.priority === undefined ? {} : { priority: column.priority }),
    value: (object) => cellOf(type, find?.(object)[0]),
  };
}

/** The first value that was found, empty when it does not fit the column's type. */
function cellOf(type: TableColumn['type'], value: unknown): string | number | boolean | undefined {
  if (value === undefined || value === null) return undefined;
  switch (type) {
    case 'integer': return typeof value === 'number' ? Math.trunc(value) : undefined;
    case 'number': return typeof value === 'number' ? value : undefined;
    case 'boolean': return typeof value === 'boolean' ? value : undefined;
    case 'date': return typeof value === 'string' ? value : undefined;
    default: return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean);
  }
}
