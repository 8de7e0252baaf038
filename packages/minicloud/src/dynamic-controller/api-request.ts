import type { ResourceRef } from '@edge/kubeapi';
import { CLUSTER_SCOPE, isFields } from '@edge/protocol';
import { minicloudError, MinicloudErrors } from '../errors.js';
import { type Application, optionsOf, valueOf } from './application.js';

/** A request to the API over HTTP. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  readonly target: string;
  readonly body?: { readonly type: string; readonly text: string };
}

const JSON_TYPE = 'application/json';
const DOCUMENT = /^\/(?:api|apis|version|healthz|livez|readyz|openapi\/v[23]|api\/\w+|apis\/\w[\w.-]*|apis\/\w[\w.-]*\/\w+)\/?$/;

/** True for the documents that nodes may ask for: discovery, version, health, OpenAPI. */
export function isDocument({ Key, Verb }: Application): boolean {
  return Verb === 'get' && DOCUMENT.test(Key);
}

/** What a key names. Members that are `null` or missing name nothing. @throws EdgeError `minicloud.not-done` */
export function refOf(key: string): ResourceRef {
  const [root, group = '', version = '', resource = '', namespace = '', name = '', ...rest] = key.replace(/\/+$/, '').split('/');
  if (root !== '' || resource === '' || rest.length > 0) throw minicloudError(MinicloudErrors.notDone, `the key ${JSON.stringify(key.slice(0, 300))} names no resource`);
  const given = (text: string): boolean => text !== '' && text !== CLUSTER_SCOPE;
  return { group: group === 'core' ? '' : group, version, resource, ...(given(namespace) ? { namespace } : {}), ...(given(name) ? { name } : {}) };
}

/** The request that does what an application asks for. @throws EdgeError `minicloud.not-done`, `minicloud.bad-content` */
export function requestOf(application: Application): ApiRequest {
  const { Verb, Key, Subresource } = application;
  if (isDocument(application)) return { method: 'GET', target: Key };
  const ref = refOf(Key);
  switch (Verb) {
    case 'get': return { method: 'GET', target: pathOf(ref, required(ref.name, 'name'), Subresource) + queryOf(optionsOf(application), ['resourceVersion']) };
    case 'list': return { method: 'GET', target: pathOf(ref) + queryOf(optionsOf(application), LIST) };
    case 'create': return write('POST', application, ref, Subresource === '' ? [] : [nameIn(application), Subresource]);
    case 'update': return write('PUT', application, ref, [nameIn(application), Subresource]);
    case 'updatestatus': return write('PUT', application, ref, [nameIn(application), 'status']);
    case 'delete': {
      const text = JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', ...optionsOf(application) });
      return { method: 'DELETE', target: pathOf(ref, required(ref.name, 'name')), body: { type: JSON_TYPE, text } };
    }
    case 'patch': return patch(application, ref);
    default: throw minicloudError(MinicloudErrors.notDone, `unsupported Application Verb type :${Verb.slice(0, 100)}`);
  }
}

const LIST = ['labelSelector', 'fieldSelector', 'limit', 'continue', 'resourceVersion', 'resourceVersionMatch', 'timeoutSeconds'];
const WRITE = ['dryRun', 'fieldManager', 'fieldValidation', 'force'];

function write(method: 'POST' | 'PUT', application: Application, ref: ResourceRef, below: readonly string[]): ApiRequest {
  const text = JSON.stringify(valueOf(application, 'ReqBody') ?? null);
  return { method, target: pathOf(ref, ...below) + queryOf(optionsOf(application), WRITE), body: { type: JSON_TYPE, text } };
}

/** `Option` holds all of a patch: upstream's PatchInfo. */
function patch(application: Application, ref: ResourceRef): ApiRequest {
  const { Name, PatchType, Data, Options, Subresources } = optionsOf(application);
  const below = Array.isArray(Subresources) ? Subresources.map(String) : [];
  return {
    method: 'PATCH', target: pathOf(ref, required(text(Name), 'name'), ...below) + queryOf(isFields(Options) ? Options : {}, WRITE),
    body: { type: text(PatchType) ?? '', text: Buffer.from(text(Data) ?? '', 'base64').toString('utf8') },
  };
}

/** The object names itself; its key names the collection alone. */
function nameIn(application: Application): string {
  const body = valueOf(application, 'ReqBody');
  return required(isFields(body) && isFields(body.metadata) ? text(body.metadata.name) : undefined, 'name');
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function required(value: string | undefined, what: string): string {
  if (value === undefined) throw minicloudError(MinicloudErrors.notDone, `${what} is required`);
  return value;
}

function pathOf({ group, version, resource, namespace }: ResourceRef, ...below: readonly string[]): string {
  // A client of HTTP would follow them, and ask for something else than the key names.
  for (const part of [group, version, resource, namespace, ...below]) if (part === '.' || part === '..') throw minicloudError(MinicloudErrors.notDone, `${JSON.stringify(part)} is no name`);
  const parts = [...(group === '' ? ['api'] : ['apis', group]), version, ...(namespace === undefined ? [] : ['namespaces', namespace]), resource, ...below];
  return `/${parts.filter((part) => part !== '').map(encodeURIComponent).join('/')}`;
}

function queryOf(options: Readonly<Record<string, unknown>>, names: readonly string[]): string {
  const query = new URLSearchParams();
  for (const name of names) {
    const value = options[name];
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if ((typeof one === 'string' && one !== '') || typeof one === 'number' || typeof one === 'boolean') query.append(name, String(one));
    }
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
