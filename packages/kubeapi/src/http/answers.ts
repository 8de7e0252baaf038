import { copyData } from '../engine/data.js';
import { badRequest } from '../errors.js';
import type { KubeList, KubeObject } from '../types/object.js';
import type { ResourceType } from '../types/resource.js';
import type { AnswerForm } from './accept.js';
import type { EncodedObjects } from './encoded-objects.js';
import type { Exchange } from './exchange.js';
import { respond, respondText } from './respond.js';
import { partialListOf, partialOf, tableOf, type IncludeObject } from './table.js';

/** How much of each object a row of a Table carries. @throws ApiError BadRequest */
export function includeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? 'Metadata';
  if (value === '' || value === 'Metadata') return 'Metadata';
  if (value === 'None' || value === 'Object') return value;
  throw badRequest(`query parameter includeObject: ${JSON.stringify(value)} is not one of None, Metadata, Object`);
}

/** Sends objects and lists in the form that was asked for. */
export class Answers {
  readonly #encoded: EncodedObjects;

  constructor(deps: { encoded: EncodedObjects }) {
    this.#encoded = deps.encoded;
  }

  /** A stored object as it is now. */
  async object(exchange: Exchange, form: AnswerForm, object: KubeObject, type: ResourceType): Promise<void> {
    if (!isPlain(exchange, form)) return this.changed(exchange, form, 200, object, type);
    return respondText(exchange.response, 200, this.#encoded.object(object), 'application/json');
  }

  /** What a change led to. Nothing of it is kept: after a dry run it is nobody's. */
  async changed(exchange: Exchange, form: AnswerForm, code: number, object: KubeObject, type: ResourceType): Promise<void> {
    const include = includeObject(exchange.query);
    const value = form.as === undefined ? object
      : form.as === 'Table' ? tableOf(type, [object], { resourceVersion: object.metadata.resourceVersion }, { include, version: form.version, now: new Date() })
        : partialOf(object, form.version);
    return respond(exchange.response, code, form.encoding === 'yaml' ? copyData(value) : value, form.encoding, isPretty(exchange));
  }

  async list(exchange: Exchange, form: AnswerForm, list: KubeList, type: ResourceType): Promise<void> {
    if (isPlain(exchange, form)) return respondText(exchange.response, 200, this.#encoded.list(list), 'application/json');
    const include = includeObject(exchange.query);
    const value = form.as === undefined ? list
      : form.as === 'Table' ? tableOf(type, list.items, list.metadata, { include, version: form.version, now: new Date() })
        : partialListOf(list, form.version);
    return respond(exchange.response, 200, value, form.encoding, isPretty(exchange));
  }
}

/** Whether the answer is made of the objects' own JSON. */
function isPlain(exchange: Exchange, form: AnswerForm): boolean {
  return form.as === undefined && form.encoding === 'json' && !isPretty(exchange);
}

const isPretty = ({ query }: Exchange): boolean => ['true', '1'].includes(query.get('pretty') ?? '');
