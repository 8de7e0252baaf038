import { createHash } from 'node:crypto';
import { apiVersionOf, type ResourceRegistry } from '../resource/registry.js';
import type { ResourceType } from '../types/resource.js';
import type { StructuralSchema } from '../types/schema.js';

const EXTENSION = 'x-kubernetes-group-version-kind';

/** Path of a version below the root, as OpenAPI v3 names its documents: `api/v1`, `apis/apps/v1`. */
const rootOf = (group: string, version: string): string => (group === '' ? `api/${version}` : `apis/${group}/${version}`);

/** `GET /openapi/v3`: where the document of each version is. The hash lets clients keep what they have. */
export function openApiV3Index(registry: ResourceRegistry): object {
  const versions = new Map(registry.all().map((type) => [rootOf(type.group, type.version), type]));
  const paths = [...versions].map(([root, type]) => {
    const hash = createHash('sha256').update(JSON.stringify(openApiV3Document(registry, type.group, type.version))).digest('hex').toUpperCase();
    return [root, { serverRelativeURL: `/openapi/v3/${root}?hash=${hash}` }] as const;
  });
  return { paths: Object.fromEntries(paths) };
}

/** `GET /openapi/v3/apis/G/V`; undefined for an unknown version. */
export function openApiV3Document(registry: ResourceRegistry, group: string, version: string): object | undefined {
  const types = registry.inVersion(group, version);
  if (types.length === 0) return undefined;
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths: Object.fromEntries(types.map((type) => [pathOf(type), operationsOf(type)])),
    components: { schemas: Object.fromEntries(types.map((type) => [schemaName(type), schemaOf(type)])) },
  };
}

/** Reads `apis/G/V` or `api/V`. */
export function parseV3Path(rest: string): { group: string; version: string } | undefined {
  const parts = rest.split('/');
  if (parts.length === 2 && parts[0] === 'api') return { group: '', version: parts[1] as string };
  if (parts.length === 3 && parts[0] === 'apis') return { group: parts[1] as string, version: parts[2] as string };
  return undefined;
}

const pathOf = (type: ResourceType): string =>
  `/${rootOf(type.group, type.version)}/${type.namespaced ? 'namespaces/{namespace}/' : ''}${type.plural}/{name}`;

const identity = (type: ResourceType): object => ({ group: type.group, kind: type.kind, version: type.version });

/**
 * kubectl looks at the parameters of `patch` to learn that the server checks fields. No content is listed for it: then
 * kubectl computes strategic patches from what it knows itself.
 */
function operationsOf(type: ResourceType): object {
  const query = (name: string): object => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } });
  const operation = (action: string): object => ({
    'x-kubernetes-action': action, [EXTENSION]: identity(type),
    parameters: ['dryRun', 'fieldManager', 'fieldValidation', ...(action === 'patch' ? ['force'] : [])].map(query),
    responses: { 200: { description: 'OK', content: { 'application/json': { schema: { $ref: `#/components/schemas/${schemaName(type)}` } } } } },
  });
  return { get: operation('get'), put: operation('put'), patch: operation('patch') };
}

function schemaName(type: ResourceType): string {
  const group = type.group === '' ? 'core' : type.group;
  return type.custom === true ? `${type.group.split('.').reverse().join('.')}.${type.version}.${type.kind}` : `io.k8s.api.${group.split('.')[0] ?? group}.${type.version}.${type.kind}`;
}

function schemaOf(type: ResourceType): object {
  const schema: StructuralSchema = type.schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    ...schema,
    description: schema.description ?? `${type.kind} of ${apiVersionOf(type)}. Its fields are not described here.`,
    properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' }, ...schema.properties },
    [EXTENSION]: [identity(type)],
  };
}

/** `GET /openapi/v2` as JSON: valid and empty, so that old clients check nothing themselves. */
export function openApiV2(): object {
  return { swagger: '2.0', info: { title: 'Kubernetes', version: 'unversioned' }, paths: {}, definitions: {} };
}

/** As kubectl 1.20 asks for it, without the "@": Go's own parser for media types refuses that character in an answer. */
export const OPENAPI_V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** The same in the Protobuf form that kubectl insists on: fields 1 (swagger) and 2 (info: 1 title, 2 version). */
export function openApiV2Protobuf(): Buffer {
  const field = (number: number, value: Buffer): Buffer => Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), value]);
  const info = Buffer.concat([field(1, Buffer.from('Kubernetes')), field(2, Buffer.from('unversioned'))]);
  return Buffer.concat([field(1, Buffer.from('2.0')), field(2, info), field(8, Buffer.alloc(0)), field(9, Buffer.alloc(0))]);
}
