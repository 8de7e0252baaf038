import { ApiError, badRequest, isApiError, pagesExpired, tooLargeResourceVersion } from '../errors.js';
import { apiVersionOf, storageName } from '../resource/registry.js';
import { compileSelection } from '../selector/selection.js';
import type { KubeList, KubeObject } from '../types/object.js';
import type { ListOptions } from '../types/requests.js';
import type { ResourceRef, ResourceType } from '../types/resource.js';
import type { ObjectStore, StoreList } from '../types/store.js';
import { inVersion } from './versioned.js';

/** In place of a version: the rest of the list as it is now. */
const NEWEST = -1;

interface Continuation {
  version: number;
  after: string;
}

/** Reads a version that a client sent. Throws BadRequest. */
export function parseVersion(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`resourceVersion ${JSON.stringify(text)} is not a version of this server`);
  return Number(text);
}

const placeOf = (object: KubeObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;

/** A list with selectors, pages and versions as an API server gives it. All pages show one and the same version. */
export function listObjects(store: ObjectStore, type: ResourceType, ref: ResourceRef, options: ListOptions): KubeList {
  const namespace = type.namespaced ? options.namespace ?? ref.namespace : undefined;
  const selects = compileSelection(type, { ...options, ...(ref.name === undefined ? {} : { name: ref.name }) });
  const page = options.continue === undefined || options.continue === '' ? undefined : parseContinue(options.continue);
  const limit = options.limit !== undefined && options.limit > 0 ? options.limit : undefined;
  const found = read(store, storageName(type), namespace, options, page);

  const items: KubeObject[] = [];
  let rest = 0;
  for (const object of found.items) {
    if (page !== undefined && placeOf(object) <= page.after) continue;
    if (selects !== undefined && !selects(object)) continue;
    if (limit !== undefined && items.length >= limit) rest += 1;
    else items.push(inVersion(object, type));
  }
  const metadata: KubeList['metadata'] = { resourceVersion: String(found.resourceVersion) };
  const last = items.at(-1);
  if (rest > 0 && last !== undefined) {
    metadata.continue = formatContinue({ version: found.resourceVersion, after: placeOf(last) });
    if (selects === undefined) metadata.remainingItemCount = rest;
  }
  return { apiVersion: apiVersionOf(type), kind: type.listKind ?? `${type.kind}List`, metadata, items };
}

function read(store: ObjectStore, resource: string, namespace: string | undefined, options: ListOptions, page: Continuation | undefined): StoreList {
  const query = { resource, ...(namespace === undefined ? {} : { namespace }) };
  if (page !== undefined) {
    if ((options.resourceVersion ?? '') !== '' && options.resourceVersion !== '0') throw badRequest('resourceVersion must not be given together with continue');
    return page.version === NEWEST ? store.list(query) : pageOf(store, query, page);
  }
  const text = options.resourceVersion ?? '';
  if (options.resourceVersionMatch !== undefined && text === '') throw badRequest('resourceVersionMatch needs a resourceVersion');
  if (options.resourceVersionMatch === 'Exact') {
    if (text === '0') throw badRequest('resourceVersionMatch Exact needs a resourceVersion other than 0');
    return store.list({ ...query, atVersion: parseVersion(text) });
  }
  if (text !== '') {
    const version = parseVersion(text);
    if (version > store.resourceVersion) throw tooLargeResourceVersion(version, store.resourceVersion);
  }
  return store.list(query);
}

function pageOf(store: ObjectStore, query: { resource: string; namespace?: string }, page: Continuation): StoreList {
  const fresh = formatContinue({ version: NEWEST, after: page.after });
  // A version from the future was given by a store whose end was lost.
  if (page.version > store.resourceVersion) throw pagesExpired(fresh);
  try {
    return store.list({ ...query, atVersion: page.version });
  } catch (error) {
    throw isApiError(error, 'Expired') ? pagesExpired(fresh) : error;
  }
}

function formatContinue(page: Continuation): string {
  return Buffer.from(JSON.stringify([page.version, page.after])).toString('base64url');
}

function parseContinue(text: string): Continuation {
  try {
    const value = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown;
    if (Array.isArray(value) && Number.isSafeInteger(value[0]) && (value[0] as number) >= NEWEST && typeof value[1] === 'string') return { version: value[0] as number, after: value[1] };
  } catch (cause) {
    throw new ApiError('BadRequest', 'the continue token is not one of this server', {}, { cause });
  }
  throw badRequest('the continue token is not one of this server');
}
