import { isFields } from '@edge/protocol';
import { badRequest } from '../errors.js';
import type { DeleteOptions, ListOptions, WatchOptions, WriteOptions } from '../types/requests.js';

function text(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name);
  return value === null || value === '' ? undefined : value;
}

export function flag(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  if (['', '1', 't', 'T', 'true', 'True', 'TRUE'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'False', 'FALSE'].includes(value)) return false;
  throw badRequest(`query parameter ${name}: ${JSON.stringify(value)} is not true or false`);
}

export function whole(query: URLSearchParams, name: string): number | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  if (!/^\d{1,12}$/.test(value)) throw badRequest(`query parameter ${name}: ${JSON.stringify(value)} is not a whole number`);
  return Number(value);
}

function oneOf<T extends string>(value: string | undefined, name: string, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw badRequest(`${name}: ${JSON.stringify(value)} is not one of ${allowed.join(', ')}`);
  return found;
}

/** Leaves out what is undefined, as exact optional fields want it. */
function defined<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

export function listOptions(query: URLSearchParams): ListOptions {
  if (query.size === 0) return {};
  return defined<ListOptions>({
    labelSelector: text(query, 'labelSelector'), fieldSelector: text(query, 'fieldSelector'), limit: whole(query, 'limit'),
    continue: text(query, 'continue'), resourceVersion: text(query, 'resourceVersion'),
    resourceVersionMatch: oneOf(text(query, 'resourceVersionMatch'), 'resourceVersionMatch', ['Exact', 'NotOlderThan']),
  });
}

export function watchOptions(query: URLSearchParams): WatchOptions {
  return defined<WatchOptions>({
    labelSelector: text(query, 'labelSelector'), fieldSelector: text(query, 'fieldSelector'), resourceVersion: text(query, 'resourceVersion'),
    resourceVersionMatch: oneOf(text(query, 'resourceVersionMatch'), 'resourceVersionMatch', ['NotOlderThan']),
    allowBookmarks: flag(query, 'allowWatchBookmarks'), sendInitialEvents: flag(query, 'sendInitialEvents'),
  });
}

function dryRun(values: readonly string[]): boolean | undefined {
  const given = values.filter((value) => value !== '');
  for (const value of given) oneOf(value, 'dryRun', ['All']);
  return given.length > 0 ? true : undefined;
}

export function writeOptions(query: URLSearchParams, userAgent: string | undefined): WriteOptions {
  return defined<WriteOptions>({
    dryRun: dryRun(query.getAll('dryRun')),
    fieldManager: text(query, 'fieldManager') ?? userAgent?.split('/')[0],
    fieldValidation: oneOf(text(query, 'fieldValidation'), 'fieldValidation', ['Strict', 'Warn', 'Ignore']),
  });
}

/** From the body (`kind: DeleteOptions`) and the query; the body wins. */
export function deleteOptions(query: URLSearchParams, body: unknown): DeleteOptions {
  const given = isFields(body) ? body : {};
  if (body !== undefined && !isFields(body)) throw badRequest('the body must be DeleteOptions');
  if (given.kind !== undefined && given.kind !== 'DeleteOptions') throw badRequest(`the body must be DeleteOptions, is ${JSON.stringify(given.kind)}`);
  const grace = given.gracePeriodSeconds ?? whole(query, 'gracePeriodSeconds');
  if (grace !== undefined && grace !== null && (typeof grace !== 'number' || !Number.isInteger(grace))) throw badRequest('gracePeriodSeconds must be a whole number');
  const preconditions = isFields(given.preconditions) ? given.preconditions : undefined;
  const policy = given.propagationPolicy ?? text(query, 'propagationPolicy');
  const orphan = given.orphanDependents ?? flag(query, 'orphanDependents');
  return defined<DeleteOptions>({
    gracePeriodSeconds: typeof grace === 'number' ? grace : undefined,
    propagationPolicy: oneOf(typeof policy === 'string' ? policy : undefined, 'propagationPolicy', ['Orphan', 'Background', 'Foreground']),
    orphanDependents: typeof orphan === 'boolean' ? orphan : undefined,
    preconditions: preconditions === undefined ? undefined : defined({
      uid: typeof preconditions.uid === 'string' ? preconditions.uid : undefined,
      resourceVersion: typeof preconditions.resourceVersion === 'string' ? preconditions.resourceVersion : undefined,
    }),
    dryRun: dryRun([...query.getAll('dryRun'), ...(Array.isArray(given.dryRun) ? given.dryRun.map(String) : [])]),
  });
}
