import { errorText, isAbort, type Logger } from '@edge/core';
import { errorStatus, type ConfigMap, type ObjectMeta, type Secret } from '@edge/protocol';
import { edgedError } from '../errors.js';
import { objectKey, type ObjectLookup, type ObjectReference } from '../plan/references.js';
import { Refused, type MetaClient } from './meta-client.js';

/** Fetches what pods refer to, each time anew: metamanager has it at hand and keeps it fresh. */
export class ObjectReader {
  readonly #meta: MetaClient;
  readonly #log: Logger;

  constructor(deps: { meta: MetaClient; log: Logger }) {
    this.#meta = deps.meta;
    this.#log = deps.log;
  }

  /**
   * The objects, without those that do not exist. An object that is optional and cannot be had because the cloud is
   * out of reach counts as missing: had it ever been here, it would be in the store.
   * @throws EdgeError `edged.bad-answer`, or `edged.refused` when an object that is not optional cannot be had now
   */
  async fetch(namespace: string, wanted: readonly ObjectReference[], signal: AbortSignal): Promise<ObjectLookup> {
    const found = new Map<string, ConfigMap | Secret>();
    await Promise.all(
      wanted.map(async (reference) => {
        const object = await this.#one(namespace, reference, signal);
        if (object) found.set(objectKey(reference), object);
      }),
    );
    return found;
  }

  async #one(namespace: string, reference: ObjectReference, signal: AbortSignal): Promise<ConfigMap | Secret | undefined> {
    const resource = `${namespace}/${reference.kind}/${reference.name}`;
    try {
      return readObject(resource, await this.#meta.request('query', resource, null, signal));
    } catch (error) {
      if (isAbort(error) || !reference.optional) throw error;
      this.#log.verbose(2, 'optional object cannot be had now and is left out', { resource, err: errorText(error) });
      return undefined;
    }
  }
}

/** The object in an answer; undefined when the API says that it does not exist. */
export function readObject<T extends { metadata: ObjectMeta }>(resource: string, content: unknown): T | undefined {
  if (Array.isArray(content)) {
    const [row] = content as unknown[];
    if (row === undefined) return undefined;
    return check<T>(resource, typeof row === 'string' ? parse(resource, row) : row);
  }
  const failed = errorStatus(content);
  if (failed?.code === 404 || failed?.reason === 'NotFound') return undefined;
  if (failed) throw new Refused(`query ${resource}: ${failed.message}`, failed);
  return check<T>(resource, typeof content === 'string' ? parse(resource, content) : content);
}

function parse(resource: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw edgedError('edged.bad-answer', `the stored ${resource} is no JSON`, cause);
  }
}

function check<T extends { metadata: ObjectMeta }>(resource: string, value: unknown): T {
  const metadata = (value as { metadata?: unknown } | null)?.metadata;
  if (typeof metadata === 'object' && metadata !== null) return value as T;
  throw edgedError('edged.bad-answer', `query ${resource} was not answered with an object`);
}

